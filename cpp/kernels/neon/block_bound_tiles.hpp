// Bounds of a block for the NEON sets, which differ in how they multiply: Multiplier says how, and
// how many queries share the loads of a tile of 16 rows. Included by kernels: no STL, internal
// linkage.
//
// NEON multiplies signed by signed bytes, so a cell's value + 128 becomes the value (one eor), and
// the sum is what the contract has after subtracting the query's zero.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernels/block_bound.hpp"

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 4 rows, in a tile
constexpr std::size_t kTileRows = 16;

int8x16_t four_dims(const std::int8_t* values) {
  std::int32_t four;
  std::memcpy(&four, values, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// One bit for each of 4 rows, from row r on.
std::uint64_t passing(const BoundBlock& block, const BoundQuery& query, int32x4_t sums,
                      std::size_t r) {
  const uint32x4_t bits = {1, 2, 4, 8};
  float32x4_t upper =
      vmulq_f32(vcvtq_f32_s32(sums), vmulq_n_f32(vld1q_f32(block.scales + r), query.unit));
  upper = vfmaq_n_f32(upper, vld1q_f32(block.errors + r), query.slope);
  upper = vfmaq_n_f32(upper, vld1q_f32(block.outside + r), query.outside);
  return vaddvq_u32(vandq_u32(vcgeq_f32(upper, vdupq_n_f32(query.floor)), bits));
}

// Multiplier: of(sums, cells, values) adds 4 products to each of 4 rows; total(sums) is one lane a
// row.
template <class Multiplier, int Q>
void tile(const BoundBlock& block, std::size_t first, const BoundQuery* queries,
          std::uint64_t* masks) {
  typename Multiplier::Sums sums[Q][kRegisters] = {};
  for (std::size_t d = 0; d < block.n_dims; d += 4) {
    const std::uint8_t* cells = block.cells + d * 64 + first * 4;
    int8x16_t rows[kRegisters];
#pragma GCC unroll 4
    for (int v = 0; v < kRegisters; ++v)
      rows[v] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(cells + 16 * v), vdupq_n_u8(kInt8Zero)));
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const int8x16_t values = four_dims(queries[q].values + d);
#pragma GCC unroll 4
      for (int v = 0; v < kRegisters; ++v) sums[q][v] = Multiplier::of(sums[q][v], rows[v], values);
    }
  }
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < kRegisters; ++v) {
      const std::size_t r = first + 4 * static_cast<std::size_t>(v);
      masks[q] |= passing(block, queries[q], Multiplier::total(sums[q][v]), r) << r;
    }
}

template <class Multiplier>
void reaching(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
              std::uint64_t* masks) {
  constexpr int kQueries = Multiplier::kQueries;
  for (std::size_t q = 0; q < n_queries; ++q) masks[q] = 0;
  for (std::size_t first = 0; first < 64; first += kTileRows) {
    std::size_t q = 0;
    for (; q + kQueries <= n_queries; q += kQueries)
      tile<Multiplier, kQueries>(block, first, queries + q, masks + q);
    for (; q < n_queries; ++q) tile<Multiplier, 1>(block, first, queries + q, masks + q);
  }
}

}  // namespace
}  // namespace ff
