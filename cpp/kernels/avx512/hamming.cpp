// Hamming distances with AVX-512 but without its VPOPCNTDQ.
//
// From 64 bytes on: tiles of 4 rows, byte counts by two 4-bit tables. 8 instructions for 64 bytes
// of a row and 5 a row to sum up: 13 a 512-bit row, against 32 with POPCNT.
// Source: W. Mula, N. Kurz, D. Lemire, Faster Population Counts Using AVX2 Instructions, 2018.
// Below: POPCNT, as in the AVX2 set: a load, a xor, a popcnt and an add for each 8 bytes.
#include "kernels/hamming.hpp"

#include <cstring>

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr std::size_t kTile = 4;
constexpr std::size_t kWide = 64;             // bytes of a row from which the tables win
constexpr std::size_t kFlushBytes = 31 * 64;  // 8-bit lanes: 31 counts of at most 8 fit 255
constexpr std::size_t kTilesAhead = 2;        // distances_at prefetches this many tiles ahead

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

std::int32_t narrow_distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
  std::int64_t sum = 0;
  std::size_t j = 0;
  for (; j + 8 <= n_bytes; j += 8) sum += _mm_popcnt_u64(word_at(a + j) ^ word_at(b + j));
  if (j < n_bytes) sum += _mm_popcnt_u64(tail_at(a + j, n_bytes - j) ^ tail_at(b + j, n_bytes - j));
  return static_cast<std::int32_t>(sum);
}

__m512i load_tail(const std::uint8_t* bytes, std::size_t n) {
  return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, bytes);
}

__m512i counts_of(__m512i bits) {
  const __m512i counts =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bits, 4), nibble);
  const __m512i low = _mm512_and_si512(bits, nibble);
  return _mm512_add_epi8(_mm512_shuffle_epi8(counts, high), _mm512_shuffle_epi8(counts, low));
}

// The sum of the 8 lanes of each of 4 registers, each sum below 2^32.
__m128i sums_of(const __m512i* v) {
  const __m512i ab = _mm512_or_si512(v[0], _mm512_slli_epi64(v[1], 32));
  const __m512i cd = _mm512_or_si512(v[2], _mm512_slli_epi64(v[3], 32));
  const __m512i abcd =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

__m128i wide_distances(const std::uint8_t* query, const std::uint8_t* const* rows,
                       std::size_t n_bytes) {
  __m512i totals[kTile];
  for (std::size_t r = 0; r < kTile; ++r) totals[r] = _mm512_setzero_si512();
  for (std::size_t j = 0; j < n_bytes;) {
    const std::size_t stop = n_bytes - j < kFlushBytes ? n_bytes : j + kFlushBytes;
    __m512i counts[kTile];
    for (std::size_t r = 0; r < kTile; ++r) counts[r] = _mm512_setzero_si512();
    for (; j + 64 <= stop; j += 64) {
      const __m512i y = _mm512_loadu_si512(query + j);
      for (std::size_t r = 0; r < kTile; ++r) {
        const __m512i differing = _mm512_xor_si512(y, _mm512_loadu_si512(rows[r] + j));
        counts[r] = _mm512_add_epi8(counts[r], counts_of(differing));
      }
    }
    if (j < stop) {
      const __m512i y = load_tail(query + j, stop - j);
      for (std::size_t r = 0; r < kTile; ++r) {
        const __m512i differing = _mm512_xor_si512(y, load_tail(rows[r] + j, stop - j));
        counts[r] = _mm512_add_epi8(counts[r], counts_of(differing));
      }
      j = stop;
    }
    for (std::size_t r = 0; r < kTile; ++r)
      totals[r] = _mm512_add_epi64(totals[r], _mm512_sad_epu8(counts[r], _mm512_setzero_si512()));
  }
  return sums_of(totals);
}

// One tile of n <= 4 rows; rows[n] and further repeat rows[n - 1] and are not stored.
void tile_distances(const std::uint8_t* query, const std::uint8_t* const* rows, std::size_t n,
                    std::size_t n_bytes, std::int32_t* out) {
  if (n_bytes >= kWide) {
    const auto stored = static_cast<__mmask8>((1U << n) - 1U);
    _mm_mask_storeu_epi32(out, stored, wide_distances(query, rows, n_bytes));
  } else {
    for (std::size_t r = 0; r < n; ++r) out[r] = narrow_distance(query, rows[r], n_bytes);
  }
}

void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t i = 0; i < n_rows; i += kTile) {
    const std::size_t valid = n_rows - i < kTile ? n_rows - i : kTile;
    const std::uint8_t* rows[kTile];
    for (std::size_t r = 0; r < kTile; ++r)
      rows[r] = codes + static_cast<std::ptrdiff_t>(r < valid ? i + r : n_rows - 1) * row_stride;
    tile_distances(query, rows, valid, n_bytes, out + i);
  }
}

void distances_at(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t i = 0; i < n; i += kTile) {
    const std::size_t valid = n - i < kTile ? n - i : kTile;
    const std::uint8_t* rows[kTile];
    for (std::size_t r = 0; r < kTile; ++r)
      rows[r] = codes + static_cast<std::ptrdiff_t>(ids[r < valid ? i + r : n - 1]) * row_stride;
    const std::size_t ahead = i + kTilesAhead * kTile;
    for (std::size_t k = ahead; k < ahead + kTile && k < n; ++k)
      for (std::size_t j = 0; j < n_bytes; j += 64)
        _mm_prefetch(reinterpret_cast<const char*>(codes) +
                         static_cast<std::ptrdiff_t>(ids[k]) * row_stride +
                         static_cast<std::ptrdiff_t>(j),
                     _MM_HINT_T0);
    tile_distances(query, rows, valid, n_bytes, out + i);
  }
}

}  // namespace

extern const HammingKernels kHammingAvx512 = {IsaLevel::avx512, distances, distances_at};

}  // namespace ff
