#include "stages/query_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kTableDims = 4;
constexpr std::size_t kEntries = 16;
constexpr std::size_t kCellTables = kSliceDims / kTableDims;

std::size_t n_tables(std::size_t dims) {
  return (dims + kSliceDims - 1) / kSliceDims * kCellTables;
}

}  // namespace

float prefix_norm(const float* query, std::size_t dims) {
  double squares = 0;
  for (std::size_t d = 0; d < dims; ++d)
    squares += static_cast<double>(query[d]) * static_cast<double>(query[d]);
  return static_cast<float>(std::sqrt(squares));
}

SignTables make_asymmetric_tables(const float* query, std::size_t dims, std::uint8_t* tables) {
  const std::size_t count = n_tables(dims);
  // Entry v of a table is the sum of +-query[d] of its 4 dims plus the sum of |query[d]|, so it is
  // never negative; its largest entry is twice that sum.
  std::vector<float> magnitudes(count, 0.0F);
  for (std::size_t d = 0; d < dims; ++d) magnitudes[d / kTableDims] += std::fabs(query[d]);
  float largest_cell = 0, total = 0;
  for (std::size_t t = 0; t < count; t += kCellTables) {
    float cell = 0;
    for (std::size_t i = t; i < t + kCellTables; ++i) cell += magnitudes[i];
    largest_cell = std::max(largest_cell, cell);
    total += cell;
  }
  if (!(largest_cell > 0)) {
    std::memset(tables, 0, count * kEntries);
    return {};
  }
  // Rounding may raise each table's largest entry by a half.
  const float half = 0.5F;
  const float cell_room = static_cast<float>(kMaxCellScore) - half * kCellTables;
  const float total_room = static_cast<float>(kMaxScanScore) - half * static_cast<float>(count);
  const float scale = std::min(cell_room / (2 * largest_cell), total_room / (2 * total));

  for (std::size_t t = 0; t < count; ++t) {
    float doubled[kTableDims] = {};  // what a set bit adds: from -|q| to +|q| or back
    float base = 0.5F;               // to round by truncation
    for (std::size_t i = 0; i < kTableDims && t * kTableDims + i < dims; ++i) {
      const float value = query[t * kTableDims + i];
      doubled[i] = 2 * value * scale;
      base += (std::fabs(value) - value) * scale;
    }
    std::uint8_t* entries = tables + t * kEntries;
    for (std::size_t v = 0; v < kEntries; ++v) {
      const float entry = base + (v & 8 ? doubled[0] : 0.0F) + (v & 4 ? doubled[1] : 0.0F) +
                          (v & 2 ? doubled[2] : 0.0F) + (v & 1 ? doubled[3] : 0.0F);
      entries[v] = static_cast<std::uint8_t>(entry > 0 ? entry : 0.0F);
    }
  }
  const float length = prefix_norm(query, dims) * std::sqrt(static_cast<float>(dims));
  return {1 / (scale * length), -total / length};
}

SignTables make_symmetric_tables(const std::uint8_t* code, std::size_t dims, std::uint8_t* tables) {
  for (std::size_t t = 0; t < n_tables(dims); ++t) {
    std::uint8_t* entries = tables + t * kEntries;
    std::memset(entries, 0, kEntries);
    for (std::size_t i = 0; i < kTableDims && t * kTableDims + i < dims; ++i) {
      const std::size_t d = t * kTableDims + i;
      const bool set = (code[d / 8] & (0x80U >> (d % 8))) != 0;
      for (std::size_t v = 0; v < kEntries; ++v)
        entries[v] = static_cast<std::uint8_t>(entries[v] + (((v & (8U >> i)) != 0) == set));
    }
  }
  return {2 / static_cast<float>(dims), -1};
}

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
