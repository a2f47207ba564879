// Sign scan with AVX-512: a 4-bit table is one vpshufb over the 64 rows of a block.
//
// Instructions for one query over 64 dims of 64 rows, in a tile of Q queries: 16 vpshufb, 16
// vpaddb, 16 vbroadcasti32x4 and 4 to widen, plus (8 loads + 24 to split nibbles) / Q. At Q = 8
// that is 0.9 a row, 1/72 of an instruction a dim. A tile keeps 3 Q + 6 of the 32 registers.
//
// GCC keeps an array of vectors in registers only where the loops over it are unrolled: the
// pragmas.
#include "kernels/sign_scan.hpp"

#include "kernels/avx512/intrinsics.hpp"

// after the header with <immintrin.h>
#include "kernels/avx2/passing_rows.hpp"
#include "kernels/nibble_tables.hpp"

namespace ff {
namespace {

// Totals of 64 rows, even and odd rows apart: so widening is a mask and a shift, not a permutation.
struct Totals {
  __m512i even, odd;
};

__m512i table_at(const std::uint8_t* entries) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(entries)));
}

// One bit a row: score >= threshold. The bit is the sign of (threshold - 1 - score), which fits 16
// bits; merging the signs bytewise gives the rows in order, as two compare masks would not.
std::uint64_t passing(const Totals& totals, std::uint16_t threshold) {
  const __m512i below = _mm512_set1_epi16(static_cast<short>(threshold - 1));
  const __m512i even = _mm512_srli_epi16(_mm512_sub_epi16(below, totals.even), 8);
  const __m512i odd = _mm512_sub_epi16(below, totals.odd);
  constexpr int kFirstSelects = 0xca;  // bitwise a ? b : c
  return _mm512_movepi8_mask(
      _mm512_ternarylogic_epi32(_mm512_set1_epi16(0xff), even, odd, kFirstSelects));
}

void append(SignQuery& query, const Totals& totals, std::uint64_t mask, std::uint32_t first_row) {
  alignas(64) std::uint16_t even[32], odd[32];
  _mm512_store_si512(even, totals.even);
  _mm512_store_si512(odd, totals.odd);
  append_rows<64>(query, even, odd, mask, first_row);
}

template <int Q>
void scan_tile(const SignBlocks& blocks, SignQuery* queries) {
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i low_byte = _mm512_set1_epi16(0xff);
  const std::uint8_t* tables[Q];
  for (int q = 0; q < Q; ++q) tables[q] = queries[q].tables;

  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
    if (alive == 0) continue;
    Totals totals[Q];
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) totals[q] = {_mm512_setzero_si512(), _mm512_setzero_si512()};

    const std::uint8_t* cell = blocks.slices + b * kCellBytes;
    for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride) {
      __m512i sums[Q];
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) sums[q] = _mm512_setzero_si512();
      // rolled: else GCC reassociates the byte sums of all 8 steps and runs out of registers
#pragma GCC unroll 1
      for (std::size_t j = 0; j < 8; ++j) {
        const __m512i bytes = _mm512_load_si512(cell + j * kBlockRows);
        const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
        const __m512i low = _mm512_and_si512(bytes, nibble);
#pragma GCC unroll 8
        for (int q = 0; q < Q; ++q) {
          const std::uint8_t* entries = tables[q] + s * kNibbleSliceBytes + j * 32;
          const __m512i both = _mm512_add_epi8(_mm512_shuffle_epi8(table_at(entries), high),
                                               _mm512_shuffle_epi8(table_at(entries + 16), low));
          sums[q] = _mm512_add_epi8(sums[q], both);
          pin(sums[q]);
        }
      }
#pragma GCC unroll 8
      for (int q = 0; q < Q; ++q) {
        Totals& total = totals[q];
        total.even = _mm512_add_epi16(total.even, _mm512_and_si512(sums[q], low_byte));
        total.odd = _mm512_add_epi16(total.odd, _mm512_srli_epi16(sums[q], 8));
      }
    }
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const std::uint64_t mask = passing(totals[q], queries[q].threshold) & alive;
      if (mask != 0)
        append(queries[q], totals[q], mask,
               blocks.first_row + static_cast<std::uint32_t>(b * kBlockRows));
    }
  }
}

// The queries past the last tile of 8 go in one tile too: a tile reads the whole plane.
void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  for (; n_queries >= 8; n_queries -= 8, queries += 8) scan_tile<8>(blocks, queries);
  switch (n_queries) {
    case 7:
      return scan_tile<7>(blocks, queries);
    case 6:
      return scan_tile<6>(blocks, queries);
    case 5:
      return scan_tile<5>(blocks, queries);
    case 4:
      return scan_tile<4>(blocks, queries);
    case 3:
      return scan_tile<3>(blocks, queries);
    case 2:
      return scan_tile<2>(blocks, queries);
    case 1:
      return scan_tile<1>(blocks, queries);
    default:
      return;
  }
}

}  // namespace

extern const SignScanKernels kSignScanAvx512 = {IsaLevel::avx512, kNibbleSliceBytes,
                                                make_nibble_tables, scan, nullptr};

}  // namespace ff
