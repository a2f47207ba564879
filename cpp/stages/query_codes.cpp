#include "stages/query_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ff {
namespace {

constexpr int kMaxTries = 64;

std::size_t padded(std::size_t dims) { return (dims + kSliceDims - 1) / kSliceDims * kSliceDims; }

// Rounds |query[d]| * scale. Returns whether the limits of a scan hold.
bool round_weights(const float* query, std::size_t dims, float scale, std::int16_t* weights) {
  int total = 0;
  for (std::size_t begin = 0; begin < dims; begin += kSliceDims) {
    int cell = 0;
    for (std::size_t d = begin; d < std::min(begin + kSliceDims, dims); ++d) {
      const int size = static_cast<int>(std::fabs(query[d]) * scale + 0.5F);
      weights[d] = static_cast<std::int16_t>(query[d] < 0 ? -size : size);
      cell += size;
    }
    total += cell;
    if (cell > kMaxCellScore || total > kMaxScanScore) return false;
  }
  return true;
}

}  // namespace

float prefix_norm(const float* query, std::size_t dims, const Kernels& kernels) {
  return static_cast<float>(std::sqrt(kernels.float64_dot.dot(query, query, dims)));
}

SignMeaning asymmetric_weights(const float* query, std::size_t dims, const Kernels& kernels,
                               std::int16_t* weights) {
  std::memset(weights, 0, padded(dims) * sizeof(std::int16_t));
  float largest_cell = 0, total = 0;
  for (std::size_t begin = 0; begin < dims; begin += kSliceDims) {
    float cell = 0;
    for (std::size_t d = begin; d < std::min(begin + kSliceDims, dims); ++d)
      cell += std::fabs(query[d]);
    largest_cell = std::max(largest_cell, cell);
    total += cell;
  }
  if (!(largest_cell > 0)) return {};
  // The largest scale that fits; rounding may pass the limit by a little, so a few tries.
  float scale = std::min(static_cast<float>(kMaxCellScore) / largest_cell,
                         static_cast<float>(kMaxScanScore) / total);
  for (int tries = 0; !round_weights(query, dims, scale, weights); ++tries)
    scale *= tries < kMaxTries ? 0.99F : 0.5F;
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < dims; ++d) sum += std::abs(weights[d]);
  // Of +-1 rows the inner product is 2 * score - sum, in units of 1 / scale.
  const float length = prefix_norm(query, dims, kernels) * std::sqrt(static_cast<float>(dims));
  return {2 / (scale * length), -static_cast<float>(sum) / (scale * length)};
}

void symmetric_weights(const std::uint8_t* code, std::size_t dims, std::int16_t* weights) {
  std::memset(weights, 0, padded(dims) * sizeof(std::int16_t));
  for (std::size_t d = 0; d < dims; ++d)
    weights[d] = (code[d / 8] & (0x80U >> (d % 8))) != 0 ? 1 : -1;
}

SignMeaning symmetric_meaning(std::size_t dims) { return {2 / static_cast<float>(dims), -1}; }

Int8Query make_int8_query(const float* query, std::size_t dim, std::size_t begin, std::size_t end,
                          int limit, const Kernels& kernels) {
  Int8Query result;
  result.values = AlignedBuffer((dim + 63) / 64 * 64);
  std::uint8_t* bytes = result.values.data();
  result.unit = kernels.encode.int8(query, dim, limit, bytes);
  std::memset(bytes, kInt8Zero, begin);
  std::memset(bytes + end, kInt8Zero, result.values.size() - end);
  // From value + 128 to two's complement: flip the highest bit.
  for (std::size_t d = 0; d < result.values.size(); ++d) bytes[d] ^= kInt8Zero;
  for (std::size_t d = begin; d < end; ++d) result.sum += result.data()[d];
  result.n_values = (end + 63) / 64 * 64;
  return result;
}

}  // namespace ff
