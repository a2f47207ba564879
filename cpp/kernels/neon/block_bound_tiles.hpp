// Bounds of a block for the NEON sets, which differ in how they multiply: Multiplier says how, and
// how many queries share the loads of a tile of 16 rows. Included by kernels: no STL, internal
// linkage.
//
// NEON multiplies signed by signed bytes, so a cell's value + 128 becomes the value (one eor), and
// sums are what the contract has after subtracting the query's zero.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/block_bound.hpp"

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 4 rows, in a tile

int8x16_t four_dims(const std::int8_t* values) {
  std::int32_t four;
  std::memcpy(&four, values, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// One bit for each of 4 rows, from row r on.
std::uint64_t passing(const BoundBlock& block, std::size_t step, const BoundQuery& query,
                      int32x4_t sums, std::size_t r) {
  const uint32x4_t bits = {1, 2, 4, 8};
  float32x4_t upper =
      vmulq_f32(vcvtq_f32_s32(sums), vmulq_n_f32(vld1q_f32(block.scales + r), query.unit));
  upper = vfmaq_n_f32(upper, vld1q_f32(block.errors + r), query.slope);
  upper = vfmaq_n_f32(upper, vld1q_f32(block.outside + step * 64 + r), query.outside[step]);
  return vaddvq_u32(vandq_u32(vcgeq_f32(upper, vdupq_n_f32(query.floor)), bits));
}

// Multiplier: of(sums, cells, values) adds 4 products to each of 4 rows; total(sums) is one lane a
// row. which: the queries of the tile.
template <class Multiplier, int Q>
void tile(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::int32_t* all_sums,
          std::uint64_t* masks) {
  const std::size_t first = quarter * kQuarterRows;
  const std::size_t stride = 4 * (step.number == 0 ? 64 : kQuarterRows);
  const std::uint8_t* cells = cells_of(block, step) + bound_cell(step, step.begin, first);
  typename Multiplier::Sums sums[Q][kRegisters] = {};
  for (std::size_t d = step.begin; d < step.end; d += 4, cells += stride) {
    int8x16_t rows[kRegisters];
#pragma GCC unroll 4
    for (int v = 0; v < kRegisters; ++v)
      rows[v] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(cells + 16 * v), vdupq_n_u8(kInt8Zero)));
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const int8x16_t values = four_dims(queries[which[q]].values + d);
#pragma GCC unroll 4
      for (int v = 0; v < kRegisters; ++v) sums[q][v] = Multiplier::of(sums[q][v], rows[v], values);
    }
  }
  for (int q = 0; q < Q; ++q) {
    std::uint64_t bits = 0;
    for (int v = 0; v < kRegisters; ++v) {
      const std::size_t r = first + 4 * static_cast<std::size_t>(v);
      std::int32_t* stored = all_sums + which[q] * 64 + r;
      int32x4_t total = Multiplier::total(sums[q][v]);
      if (step.number > 0) total = vaddq_s32(total, vld1q_s32(stored));
      vst1q_s32(stored, total);
      bits |= passing(block, step.number, queries[which[q]], total, r) << r;
    }
    std::uint64_t& mask = masks[which[q]];
    mask = (mask & ~(std::uint64_t{0xffff} << first)) | bits;
  }
}

template <class Multiplier>
void next(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::size_t n, std::int32_t* sums,
          std::uint64_t* masks) {
  constexpr int kQueries = Multiplier::kQueries;
  for (; n >= kQueries; n -= kQueries, which += kQueries)
    tile<Multiplier, kQueries>(block, step, quarter, queries, which, sums, masks);
  for (; n > 0; --n, ++which)
    tile<Multiplier, 1>(block, step, quarter, queries, which, sums, masks);
}

template <class Multiplier>
void first(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
           std::int32_t* sums, std::uint64_t* masks) {
  constexpr std::uint32_t kQueries = Multiplier::kQueries;
  for (std::uint32_t q = 0; q < n_queries; q += kQueries) {
    std::uint32_t which[kQueries];
    for (std::uint32_t i = 0; i < kQueries; ++i) which[i] = q + i;
    const std::size_t n = n_queries - q < kQueries ? n_queries - q : kQueries;
    for (std::size_t quarter = 0; quarter < 4; ++quarter)
      next<Multiplier>(block, {0, 0, block.n_first}, quarter, queries, which, n, sums, masks);
  }
}

}  // namespace
}  // namespace ff
