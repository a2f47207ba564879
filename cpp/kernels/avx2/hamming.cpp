// Hamming distances with AVX2's companion instruction POPCNT: a load-xor, a popcnt and an add for
// each 8 bytes, 12 instructions a 256-bit row. (Byte-table popcounts in vector registers need 8
// instructions for 32 bytes but a horizontal sum a row; for wide batches sign_scan is the faster
// way to the same distances.)
#include "kernels/hamming.hpp"

#include <immintrin.h>

#include <cstring>

namespace ff {
namespace {

std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

std::uint64_t tail_at(const std::uint8_t* bytes, std::size_t n) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, n);
  return word;
}

std::int32_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
  std::uint64_t sum0 = 0, sum1 = 0;
  std::size_t j = 0;
  for (; j + 16 <= n_bytes; j += 16) {
    sum0 += static_cast<std::uint64_t>(_mm_popcnt_u64(word_at(a + j) ^ word_at(b + j)));
    sum1 += static_cast<std::uint64_t>(_mm_popcnt_u64(word_at(a + j + 8) ^ word_at(b + j + 8)));
  }
  if (j + 8 <= n_bytes) {
    sum0 += static_cast<std::uint64_t>(_mm_popcnt_u64(word_at(a + j) ^ word_at(b + j)));
    j += 8;
  }
  if (j < n_bytes)
    sum1 += static_cast<std::uint64_t>(
        _mm_popcnt_u64(tail_at(a + j, n_bytes - j) ^ tail_at(b + j, n_bytes - j)));
  return static_cast<std::int32_t>(sum0 + sum1);
}

void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t r = 0; r < n_rows; ++r)
    out[r] = distance(query, codes + static_cast<std::ptrdiff_t>(r) * row_stride, n_bytes);
}

void distances_at(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t n_bytes, std::int32_t* out) {
  constexpr std::size_t kAhead = 8;  // rows whose first line is on its way
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n)
      _mm_prefetch(reinterpret_cast<const char*>(codes) +
                       static_cast<std::ptrdiff_t>(ids[i + kAhead]) * row_stride,
                   _MM_HINT_T0);
    out[i] = distance(query, codes + static_cast<std::ptrdiff_t>(ids[i]) * row_stride, n_bytes);
  }
}

}  // namespace

extern const HammingKernels kHammingAvx2 = {IsaLevel::avx2, distances, distances_at};

}  // namespace ff
