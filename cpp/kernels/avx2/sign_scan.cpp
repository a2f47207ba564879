// Sign scan with AVX2: a 4-bit table is one vpshufb over 32 rows.
//
// Instructions for one query over 64 dims of 64 rows, in a tile of Q queries: 32 vpshufb, 32
// vpaddb, 16 vbroadcasti128 and 8 to widen, plus (16 loads + 48 to split nibbles) / Q. At Q = 4
// that is 1.6 a row, 1/40 of an instruction a dim.
#include "kernels/sign_scan.hpp"

#include <immintrin.h>

#include "kernels/avx2/passing_rows.hpp"
#include "kernels/nibble_tables.hpp"

namespace ff {
namespace {

constexpr int kHalves = 2;  // a block of 64 rows is two registers of 32

// Totals of 32 rows, even and odd rows apart: so widening is a mask and a shift, not a permutation.
struct Totals {
  __m256i even, odd;
};

__m256i table_at(const std::uint8_t* entries) {
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(entries)));
}

// One bit a row of the 32 rows: score >= threshold.
std::uint32_t passing(const Totals& totals, std::uint16_t threshold) {
  const __m256i below = _mm256_set1_epi16(static_cast<short>(threshold - 1));
  const __m256i even = _mm256_cmpgt_epi16(totals.even, below);
  const __m256i odd = _mm256_cmpgt_epi16(totals.odd, below);
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_blendv_epi8(odd, even, _mm256_set1_epi16(0xff))));
}

void append(SignQuery& query, const Totals& totals, std::uint32_t mask, std::uint32_t first_row) {
  alignas(32) std::uint16_t even[16], odd[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(even), totals.even);
  _mm256_store_si256(reinterpret_cast<__m256i*>(odd), totals.odd);
  append_rows<32>(query, even, odd, mask, first_row);
}

template <int Q>
void scan_tile(const SignBlocks& blocks, SignQuery* queries) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low_byte = _mm256_set1_epi16(0xff);
  const std::uint8_t* tables[Q];
  for (int q = 0; q < Q; ++q) tables[q] = queries[q].tables;

  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
    if (alive == 0) continue;
    Totals totals[Q][kHalves];
    for (int q = 0; q < Q; ++q)
      for (int h = 0; h < kHalves; ++h)
        totals[q][h] = {_mm256_setzero_si256(), _mm256_setzero_si256()};

    const std::uint8_t* cell = blocks.slices + b * kCellBytes;
    for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride) {
      __m256i sums[Q][kHalves];
      for (int q = 0; q < Q; ++q)
        for (int h = 0; h < kHalves; ++h) sums[q][h] = _mm256_setzero_si256();
      // Two bytes a step: unrolled further, gcc 12 spills the sums (measured: 0.41 ns a row at 128
      // dims in batches, against 0.57 unrolled 8 times).
#pragma GCC unroll 2
      for (std::size_t j = 0; j < 8; ++j) {
        __m256i high[kHalves], low[kHalves];
        for (int h = 0; h < kHalves; ++h) {
          const __m256i bytes =
              _mm256_load_si256(reinterpret_cast<const __m256i*>(cell + j * kBlockRows) + h);
          high[h] = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
          low[h] = _mm256_and_si256(bytes, nibble);
        }
        for (int q = 0; q < Q; ++q) {
          const std::uint8_t* entries = tables[q] + s * kNibbleSliceBytes + j * 32;
          const __m256i of_high = table_at(entries);
          const __m256i of_low = table_at(entries + 16);
          for (int h = 0; h < kHalves; ++h) {
            sums[q][h] = _mm256_add_epi8(sums[q][h], _mm256_shuffle_epi8(of_high, high[h]));
            sums[q][h] = _mm256_add_epi8(sums[q][h], _mm256_shuffle_epi8(of_low, low[h]));
          }
        }
      }
      for (int q = 0; q < Q; ++q)
        for (int h = 0; h < kHalves; ++h) {
          Totals& total = totals[q][h];
          total.even = _mm256_add_epi16(total.even, _mm256_and_si256(sums[q][h], low_byte));
          total.odd = _mm256_add_epi16(total.odd, _mm256_srli_epi16(sums[q][h], 8));
        }
    }
    for (int q = 0; q < Q; ++q)
      for (int h = 0; h < kHalves; ++h) {
        const std::uint32_t mask = passing(totals[q][h], queries[q].threshold) &
                                   static_cast<std::uint32_t>(alive >> (32 * h));
        if (mask != 0)
          append(queries[q], totals[q][h], mask,
                 blocks.first_row + static_cast<std::uint32_t>(b * kBlockRows) + 32U * h);
      }
  }
}

void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4) scan_tile<4>(blocks, queries + q);
  if (n_queries - q >= 2) scan_tile<2>(blocks, queries + q), q += 2;
  if (n_queries - q == 1) scan_tile<1>(blocks, queries + q);
}

}  // namespace

extern const SignScanKernels kSignScanAvx2 = {IsaLevel::avx2, kNibbleSliceBytes, make_nibble_tables,
                                              scan, nullptr};

}  // namespace ff
