// Asymmetric rescoring for the AVX-512 sets, which differ in how they sum: Adder says how. Included
// by kernels: no STL, internal linkage.
//
// 64 bits of the row, read as a word, are the mask register that selects 64 query values: kmovq and
// a masked vmovdqu8, then what the Adder takes; 5 instructions a row to sum up. Tiles of 4 rows.
#pragma once

#include <cstring>

#include "kernels/avx512/intrinsics.hpp"
#include "kernels/avx512/lane_sums.hpp"
#include "kernels/bit_dot.hpp"

namespace ff {
namespace {

constexpr std::size_t kTile = 4;
constexpr std::size_t kFlushDims = 4096;  // of the reordered query, on the stack
constexpr std::size_t kTilesAhead = 3;    // rescore prefetches so many

__m512i load(const void* bytes) { return _mm512_load_si512(bytes); }

std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

// The first dim of a byte is its highest bit: with every 8 query values in reverse order, bit i of
// a row's word belongs to value i. Done once for all rows, where reversing bits would cost each
// row.
void reverse_eights(const std::int8_t* query, std::size_t n, std::int8_t* out) {
  const __m512i reversed =
      _mm512_broadcast_i32x4(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
  for (std::size_t d = 0; d < n; d += 64)
    _mm512_store_si512(out + d, _mm512_shuffle_epi8(load(query + d), reversed));
}

// query holds n <= kFlushDims values, rows[k] the bits that go with them. Adder: add(sums, values)
// adds 64 values to the lanes of sums; total(sums) gives 16 lanes of 32 bits.
template <class Adder>
__m128i sums_of_set(const std::int8_t* query, const std::uint8_t* const* rows, std::size_t n) {
  __m512i sums[kTile];
  for (std::size_t k = 0; k < kTile; ++k) sums[k] = _mm512_setzero_si512();
  for (std::size_t d = 0; d < n; d += 64) {
    const __m512i values = load(query + d);
    for (std::size_t k = 0; k < kTile; ++k)
      sums[k] = Adder::add(sums[k], _mm512_maskz_mov_epi8(word_at(rows[k] + d / 8), values));
  }
  for (std::size_t k = 0; k < kTile; ++k) sums[k] = Adder::total(sums[k]);
  return sums_of(sums);
}

// One flush: n <= kFlushDims dims of all rows, codes and query standing at the first of them.
template <class Adder>
void rescore_flush(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
                   const std::uint32_t* ids, std::size_t n_ids, std::size_t n, std::int32_t* sums) {
  alignas(64) std::int8_t reversed[kFlushDims];
  reverse_eights(query, n, reversed);
  for (std::size_t i = 0; i < n_ids; i += kTile) {
    const std::size_t valid = n_ids - i < kTile ? n_ids - i : kTile;
    const std::uint8_t* rows[kTile];  // past the last row: that row again, its sums not stored
    for (std::size_t k = 0; k < kTile; ++k)
      rows[k] = codes + ids[k < valid ? i + k : n_ids - 1] * row_stride;
    for (std::size_t k = i + kTilesAhead * kTile; k < i + (kTilesAhead + 1) * kTile && k < n_ids;
         ++k)
      for (std::size_t byte = 0; byte < n / 8; byte += 64)
        _mm_prefetch(reinterpret_cast<const char*>(codes + ids[k] * row_stride + byte),
                     _MM_HINT_T0);
    const __mmask8 stored = first(valid);
    _mm_mask_storeu_epi32(sums + i, stored,
                          _mm_add_epi32(_mm_maskz_loadu_epi32(stored, sums + i),
                                        sums_of_set<Adder>(reversed, rows, n)));
  }
}

template <class Adder>
void rescore(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* sums) {
  for (std::size_t d = begin; d < end; d += kFlushDims)
    rescore_flush<Adder>(query + d, codes + d / 8, row_stride, ids, n,
                         end - d < kFlushDims ? end - d : kFlushDims, sums);
}

}  // namespace
}  // namespace ff
