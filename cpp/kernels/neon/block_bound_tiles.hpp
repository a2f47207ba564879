// Bounds of a block for the NEON sets, which differ in how they multiply: Multiplier says how, and
// how many queries share the loads of a tile, a quarter of the block. Included by kernels: no STL,
// internal linkage.
//
// NEON multiplies signed by signed bytes, so a cell's value + 128 becomes the value (one eor), and
// the products sum to what the contract has after subtracting the query's zero.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/block_bound.hpp"

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 4 rows: a quarter

int8x16_t four_dims(const std::int8_t* values) {
  std::int32_t four;
  std::memcpy(&four, values, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// One bit for each of 4 rows, from row r on.
std::uint64_t passing(const BoundBlock& block, std::size_t step, const BoundQuery& query,
                      int32x4_t centred, std::size_t r) {
  const uint32x4_t bits = {1, 2, 4, 8};
  float32x4_t upper =
      vmulq_f32(vcvtq_f32_s32(centred), vmulq_n_f32(vld1q_f32(block.scales + r), query.unit));
  upper = vfmaq_n_f32(upper, vld1q_f32(block.errors + r), query.slope);
  upper = vfmaq_n_f32(upper, vld1q_f32(block.outside + step * 64 + r), query.outside[step]);
  return vaddvq_u32(vandq_u32(vcgeq_f32(upper, vdupq_n_f32(query.floor)), bits));
}

// Multiplier: of(sums, cells, values) adds 4 products to each of 4 rows; total(sums) is one lane a
// row. which: the queries of the tile.
template <class Multiplier, int Q>
void tile(const BoundBlock& block, const BoundStep& step, std::size_t first_row,
          const BoundQuery* queries, const std::uint32_t* which, std::int32_t* all_sums,
          std::uint64_t* masks) {
  typename Multiplier::Sums products[Q][kRegisters] = {};
  const std::int8_t* values[Q];
  for (int q = 0; q < Q; ++q) values[q] = queries[which[q]].values;
  const std::uint8_t* cells = cells_of(block, step) + bound_cell(step, step.begin, first_row);
  const std::size_t stride = 4 * (step.number == 0 ? 64 : kQuarterRows);
  for (std::size_t d = step.begin; d < step.end; d += 4, cells += stride) {
    int8x16_t rows[kRegisters];
#pragma GCC unroll 4
    for (int v = 0; v < kRegisters; ++v)
      rows[v] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(cells + 16 * v), vdupq_n_u8(kInt8Zero)));
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const int8x16_t of_query = four_dims(values[q] + d);
#pragma GCC unroll 4
      for (int v = 0; v < kRegisters; ++v)
        products[q][v] = Multiplier::of(products[q][v], rows[v], of_query);
    }
  }
  for (int q = 0; q < Q; ++q) {
    const BoundQuery& query = queries[which[q]];
    std::uint64_t reaching = 0;
    for (int v = 0; v < kRegisters; ++v) {
      const std::size_t r = first_row + 4 * static_cast<std::size_t>(v);
      std::int32_t* sums = all_sums + which[q] * 64 + r;
      int32x4_t centred = Multiplier::total(products[q][v]);
      if (step.number > 0)
        centred = vaddq_s32(centred,
                            vsubq_s32(vld1q_s32(sums), vdupq_n_s32(query.zeros[step.number - 1])));
      vst1q_s32(sums, vaddq_s32(centred, vdupq_n_s32(query.zeros[step.number])));
      reaching |= passing(block, step.number, query, centred, r) << (4 * v);
    }
    masks[which[q]] = (masks[which[q]] & ~(std::uint64_t{0xffff} << first_row)) | reaching
                                                                                      << first_row;
  }
}

template <class Multiplier>
void next(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::size_t n, std::int32_t* sums,
          std::uint64_t* masks) {
  constexpr int kQueries = Multiplier::kQueries;
  const std::size_t row = quarter * kQuarterRows;
  for (; n >= kQueries; n -= kQueries, which += kQueries)
    tile<Multiplier, kQueries>(block, step, row, queries, which, sums, masks);
  for (; n >= 1; n -= 1, which += 1)
    tile<Multiplier, 1>(block, step, row, queries, which, sums, masks);
}

template <class Multiplier>
void first(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
           std::int32_t* sums, std::uint64_t* masks) {
  constexpr std::uint32_t kQueries = Multiplier::kQueries;
  for (std::size_t quarter = 0; quarter < 64 / kQuarterRows; ++quarter)
    for (std::uint32_t q = 0; q < n_queries; q += kQueries) {
      const std::uint32_t which[] = {q, q + 1, q + 2, q + 3};
      const std::size_t n = n_queries - q < kQueries ? n_queries - q : kQueries;
      next<Multiplier>(block, {0, 0, block.n_first}, quarter, queries, which, n, sums, masks);
    }
}

}  // namespace
}  // namespace ff
