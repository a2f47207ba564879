// Hamming distances for the AVX-512 sets, which differ in how they count bits: a Counter's of(bits)
// counts those of each lane of 64. Included by kernels: no STL, internal linkage.
//
// Codes of 8, 16 or 32 bytes without gaps: 8 rows a step, several a register. All others, and
// gathered rows: tiles of 4 rows, 64 bytes at a time, the last ones masked.
#pragma once

#include <cstring>

#include "kernels/avx512/intrinsics.hpp"
#include "kernels/hamming.hpp"

namespace ff {
namespace {

constexpr std::size_t kTile = 4;
constexpr std::size_t kTilesAhead = 2;  // distances_at prefetches this many tiles ahead

__m512i load_tail(const std::uint8_t* bytes, std::size_t n) {
  return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, bytes);
}

// How many bits differ in each lane of 64.
template <class Counter>
__m512i counts_of(__m512i a, __m512i b) {
  return Counter::of(_mm512_xor_si512(a, b));
}

// Two registers of 64-bit lanes as one of 32-bit lanes, a in the even ones: sums fit 32 bits.
__m512i interleave(__m512i a, __m512i b) { return _mm512_or_si512(a, _mm512_slli_epi64(b, 32)); }

__m512i sums_of_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

__m256i sum_of_halves(__m512i v) {
  return _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
}

// The distances of 4 rows.
template <class Counter>
__m128i tile_distances(const std::uint8_t* query, const std::uint8_t* const* rows,
                       std::size_t n_bytes) {
  __m512i sums[kTile];
  for (std::size_t r = 0; r < kTile; ++r) sums[r] = _mm512_setzero_si512();
  std::size_t j = 0;
  for (; j + 64 <= n_bytes; j += 64) {
    const __m512i y = _mm512_loadu_si512(query + j);
    for (std::size_t r = 0; r < kTile; ++r)
      sums[r] = _mm512_add_epi64(sums[r], counts_of<Counter>(y, _mm512_loadu_si512(rows[r] + j)));
  }
  if (j < n_bytes) {
    const __m512i y = load_tail(query + j, n_bytes - j);
    for (std::size_t r = 0; r < kTile; ++r)
      sums[r] =
          _mm512_add_epi64(sums[r], counts_of<Counter>(y, load_tail(rows[r] + j, n_bytes - j)));
  }
  const __m256i half =
      sum_of_halves(sums_of_pairs(interleave(sums[0], sums[1]), interleave(sums[2], sums[3])));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

void store_first(std::int32_t* out, std::size_t n, __m128i v) {
  _mm_mask_storeu_epi32(out, static_cast<__mmask8>((1U << n) - 1U), v);
}

template <class Counter>
void tiles(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
           std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  for (std::size_t i = 0; i < n_rows; i += kTile) {
    const std::size_t valid = n_rows - i < kTile ? n_rows - i : kTile;
    const std::uint8_t* rows[kTile];  // past the last row: that row again, not stored
    for (std::size_t r = 0; r < kTile; ++r)
      rows[r] = codes + static_cast<std::ptrdiff_t>(r < valid ? i + r : n_rows - 1) * row_stride;
    store_first(out + i, valid, tile_distances<Counter>(query, rows, n_bytes));
  }
}

// The query in every Bytes of a register.
template <std::size_t Bytes>
__m512i repeated(const std::uint8_t* query) {
  alignas(64) std::uint8_t copies[64];
  for (std::size_t j = 0; j < 64; j += Bytes) std::memcpy(copies + j, query, Bytes);
  return _mm512_load_si512(copies);
}

template <class Counter>
__m256i eight_rows_of_8(__m512i query, const std::uint8_t* codes) {
  return _mm512_cvtepi64_epi32(counts_of<Counter>(query, _mm512_loadu_si512(codes)));
}

template <class Counter>
__m256i eight_rows_of_16(__m512i query, const std::uint8_t* codes) {
  // rows 0 to 3 in the even 32-bit lanes, 4 to 7 in the odd ones, 2 of each to a row
  const __m512i counts = interleave(counts_of<Counter>(query, _mm512_loadu_si512(codes)),
                                    counts_of<Counter>(query, _mm512_loadu_si512(codes + 64)));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return sum_of_halves(_mm512_permutexvar_epi32(order, counts));
}

template <class Counter>
__m256i eight_rows_of_32(__m512i query, const std::uint8_t* codes) {
  __m512i counts[4];  // register k: rows 2k and 2k + 1, 4 lanes each
  for (std::size_t k = 0; k < 4; ++k)
    counts[k] = counts_of<Counter>(query, _mm512_loadu_si512(codes + 64 * k));
  // by quarters: rows 0 2 4 6, the same again, 1 3 5 7, the same again
  const __m512i sums =
      sums_of_pairs(interleave(counts[0], counts[1]), interleave(counts[2], counts[3]));
  const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  return sum_of_halves(_mm512_permutexvar_epi32(order, sums));
}

// Codes without gaps, 8 rows a step; returns how many rows are done.
template <std::size_t Bytes, __m256i (*EightRows)(__m512i, const std::uint8_t*)>
std::size_t packed(const std::uint8_t* query, const std::uint8_t* codes, std::size_t n_rows,
                   std::int32_t* out) {
  const __m512i y = repeated<Bytes>(query);
  std::size_t r = 0;
  for (; r + 8 <= n_rows; r += 8)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), EightRows(y, codes + r * Bytes));
  return r;
}

template <class Counter>
void distances(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
               std::size_t n_rows, std::size_t n_bytes, std::int32_t* out) {
  std::size_t done = 0;
  if (row_stride == static_cast<std::ptrdiff_t>(n_bytes)) {
    if (n_bytes == 8) done = packed<8, eight_rows_of_8<Counter>>(query, codes, n_rows, out);
    if (n_bytes == 16) done = packed<16, eight_rows_of_16<Counter>>(query, codes, n_rows, out);
    if (n_bytes == 32) done = packed<32, eight_rows_of_32<Counter>>(query, codes, n_rows, out);
  }
  tiles<Counter>(query, codes + static_cast<std::ptrdiff_t>(done) * row_stride, row_stride,
                 n_rows - done, n_bytes, out + done);
}

template <class Counter>
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
    store_first(out + i, valid, tile_distances<Counter>(query, rows, n_bytes));
  }
}

}  // namespace
}  // namespace ff
