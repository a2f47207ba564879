// Sign scan with NEON: a 4-bit table is one tbl over 16 rows.
//
// Instructions for one query over 64 dims of 32 rows, in a tile of Q queries: 32 tbl, 32 add, 16
// loads of tables and 4 to widen, plus (16 loads + 32 to split nibbles) / Q. At Q = 4 that is 3 a
// row, 1/21 of an instruction a dim. A tile is 32 rows, so that its 8 sums stay in registers (gcc
// 12 spills 7 of the 16 totals, once a slice).
#include "kernels/sign_scan.hpp"

#include <arm_neon.h>

#include "kernels/neon/bit_masks.hpp"
#include "kernels/nibble_tables.hpp"

namespace ff {
namespace {

constexpr std::size_t kTileRows = 32;

struct Totals {
  uint16x8_t rows[4];  // 8 rows each, in order
};

uint8x16_t at_least(uint16x8_t first, uint16x8_t second, uint16x8_t threshold) {
  return vuzp1q_u8(vreinterpretq_u8_u16(vcgeq_u16(first, threshold)),
                   vreinterpretq_u8_u16(vcgeq_u16(second, threshold)));
}

// One bit a row of the 32 rows: score >= threshold.
std::uint32_t passing(const Totals& totals, std::uint16_t threshold) {
  const uint16x8_t wanted = vdupq_n_u16(threshold);
  return lowest_first(at_least(totals.rows[0], totals.rows[1], wanted),
                      at_least(totals.rows[2], totals.rows[3], wanted));
}

void append(SignQuery& query, const Totals& totals, std::uint32_t mask, std::uint32_t first_row) {
  std::uint16_t scores[kTileRows];
  for (std::size_t v = 0; v < 4; ++v) vst1q_u16(scores + 8 * v, totals.rows[v]);
  std::uint32_t count = query.count;
  for (; mask != 0; mask &= mask - 1, ++count) {
    const auto r = static_cast<std::uint32_t>(__builtin_ctz(mask));
    query.rows[count] = first_row + r;
    query.scores[count] = scores[r];
  }
  query.count = count;
}

// What byte j of a slice adds to the sums of a tile's rows, for a query whose tables of the slice
// stand at `tables`. Counting takes 2 eor, 2 cnt and 2 add for the 4 tbl and 4 add of look-ups.
struct LookUps {
  static constexpr std::size_t kSliceBytes = kNibbleSliceBytes;

  uint8x16_t high[2], low[2];

  explicit LookUps(const uint8x16_t* bytes) {
    for (int v = 0; v < 2; ++v) {
      high[v] = vshrq_n_u8(bytes[v], 4);
      low[v] = vandq_u8(bytes[v], vdupq_n_u8(15));
    }
  }
  void add(uint8x16_t* sums, const std::uint8_t* tables, std::size_t j) const {
    const uint8x16_t of_high = vld1q_u8(tables + j * 32), of_low = vld1q_u8(tables + j * 32 + 16);
    for (int v = 0; v < 2; ++v) {
      sums[v] = vaddq_u8(sums[v], vqtbl1q_u8(of_high, high[v]));
      sums[v] = vaddq_u8(sums[v], vqtbl1q_u8(of_low, low[v]));
    }
  }
};

struct Counts {
  static constexpr std::size_t kSliceBytes = 8;

  uint8x16_t bytes[2];

  explicit Counts(const uint8x16_t* rows) : bytes{rows[0], rows[1]} {}
  void add(uint8x16_t* sums, const std::uint8_t* tables, std::size_t j) const {
    const uint8x16_t code = vld1q_dup_u8(tables + j);
    for (int v = 0; v < 2; ++v) sums[v] = vaddq_u8(sums[v], vcntq_u8(veorq_u8(bytes[v], code)));
  }
};

template <class Sums, int Q>
void scan_rows(const SignBlocks& blocks, std::size_t block, std::size_t first, SignQuery* queries,
               std::uint32_t alive) {
  Totals totals[Q];
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < 4; ++v) totals[q].rows[v] = vdupq_n_u16(0);

  const std::uint8_t* cell = blocks.slices + block * kCellBytes + first;
  for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride) {
    uint8x16_t sums[Q][2];
    for (int q = 0; q < Q; ++q) sums[q][0] = sums[q][1] = vdupq_n_u8(0);
#pragma GCC unroll 2  // unrolled further, gcc 12 takes the codes of counts through the stack
    for (std::size_t j = 0; j < 8; ++j) {
      uint8x16_t bytes[2];
      for (int v = 0; v < 2; ++v) bytes[v] = vld1q_u8(cell + j * kBlockRows + 16 * v);
      const Sums rows(bytes);
      for (int q = 0; q < Q; ++q) rows.add(sums[q], queries[q].tables + s * Sums::kSliceBytes, j);
    }
    for (int q = 0; q < Q; ++q)
      for (int v = 0; v < 2; ++v) {
        uint16x8_t* of_rows = totals[q].rows + 2 * v;
        of_rows[0] = vaddw_u8(of_rows[0], vget_low_u8(sums[q][v]));
        of_rows[1] = vaddw_high_u8(of_rows[1], sums[q][v]);
      }
  }
  for (int q = 0; q < Q; ++q) {
    const std::uint32_t mask = passing(totals[q], queries[q].threshold) & alive;
    if (mask != 0)
      append(queries[q], totals[q], mask,
             blocks.first_row + static_cast<std::uint32_t>(block * kBlockRows + first));
  }
}

template <class Sums, int Q>
void scan_tile(const SignBlocks& blocks, SignQuery* queries) {
  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
    for (std::size_t first = 0; first < kBlockRows; first += kTileRows) {
      const auto of_rows = static_cast<std::uint32_t>(alive >> first);
      if (of_rows != 0) scan_rows<Sums, Q>(blocks, b, first, queries, of_rows);
    }
  }
}

template <class Sums>
void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4) scan_tile<Sums, 4>(blocks, queries + q);
  if (n_queries - q >= 2) scan_tile<Sums, 2>(blocks, queries + q), q += 2;
  if (n_queries - q == 1) scan_tile<Sums, 1>(blocks, queries + q);
}

}  // namespace

extern const SignScanKernels kSignScanNeon = {IsaLevel::neon, kNibbleSliceBytes, make_nibble_tables,
                                              scan<LookUps>, scan<Counts>};

}  // namespace ff
