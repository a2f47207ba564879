// The meaning of Hamming distances, in portable C++: about 12 operations per 8 bytes.
#include "kernels/hamming.hpp"

#include <cstring>

namespace ff {
namespace {

// Parallel bit counting; x86-64 without extensions has no popcount instruction.
// Source: H. S. Warren, Hacker's Delight, section 5-1.
std::int32_t popcount(std::uint64_t x) {
  x -= (x >> 1) & 0x5555555555555555U;
  x = (x & 0x3333333333333333U) + ((x >> 2) & 0x3333333333333333U);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fU;
  return static_cast<std::int32_t>((x * 0x0101010101010101U) >> 56);
}

std::int32_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
  std::int32_t sum = 0;
  std::size_t j = 0;
  for (; j + 8 <= n_bytes; j += 8) {
    std::uint64_t x = 0, y = 0;
    std::memcpy(&x, a + j, 8);
    std::memcpy(&y, b + j, 8);
    sum += popcount(x ^ y);
  }
  for (; j < n_bytes; ++j) sum += popcount(static_cast<std::uint64_t>(a[j] ^ b[j]));
  return sum;
}

void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t r = 0; r < n_rows; ++r)
    out[r] = distance(query, codes + static_cast<std::ptrdiff_t>(r) * row_stride, n_bytes);
}

void distances_at(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t i = 0; i < n; ++i)
    out[i] = distance(query, codes + static_cast<std::ptrdiff_t>(ids[i]) * row_stride, n_bytes);
}

}  // namespace

extern const HammingKernels kHammingScalar = {IsaLevel::scalar, distances, distances_at};

}  // namespace ff
