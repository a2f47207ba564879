// int8 inner products for the NEON sets, which differ in how they multiply: Multiplier says how.
// Included by kernels: no STL, internal linkage.
//
// NEON multiplies signed by signed bytes, so a row's value + 128 becomes the value (one eor), and
// 128 * sum(query), which the contract counts in, is added at the end.
#pragma once

#include <arm_neon.h>

#include "kernels/int8_dot.hpp"

namespace ff {
namespace {

constexpr std::size_t kStep = 32;       // dims
constexpr std::size_t kRowsAhead = 4;   // rescore prefetches this many rows ahead
constexpr std::size_t kTilesAhead = 4;  // and a scan by one query this many tiles

struct Values {
  int8x16_t first, second;
};

Values query_at(const std::int8_t* values) { return {vld1q_s8(values), vld1q_s8(values + 16)}; }

Values row_at(const std::uint8_t* bytes) {
  const uint8x16_t zero = vdupq_n_u8(kInt8Zero);
  return {vreinterpretq_s8_u8(veorq_u8(vld1q_u8(bytes), zero)),
          vreinterpretq_s8_u8(veorq_u8(vld1q_u8(bytes + 16), zero))};
}

std::int32_t zero_of(const std::int8_t* query, std::size_t begin, std::size_t end) {
  int32x4_t sums = vdupq_n_s32(0);
  for (std::size_t d = begin; d < end; d += 16)
    sums = vpadalq_s16(sums, vpaddlq_s8(vld1q_s8(query + d)));
  return kInt8Zero * vaddvq_s32(sums);
}

// Multiplier: of(sums, row, query) adds 32 products to 4 lanes.
template <class Multiplier>
void rescore(const std::int8_t* query, const std::uint8_t* rows, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* dots) {
  const std::int32_t zero = zero_of(query, begin, end);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* row = rows + ids[i] * row_stride;
    const std::uint8_t* ahead = rows + ids[i + kRowsAhead < n ? i + kRowsAhead : i] * row_stride;
    int32x4_t sums[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
    for (std::size_t d = begin; d < end; d += 2 * kStep) {
      __builtin_prefetch(ahead + d);
      for (std::size_t h = 0; h < 2; ++h)
        sums[h] =
            Multiplier::of(sums[h], row_at(row + d + kStep * h), query_at(query + d + kStep * h));
    }
    dots[i] += vaddvq_s32(vaddq_s32(sums[0], sums[1])) + zero;
  }
}

template <class Multiplier, int Q, int R>
void scan_tile(const std::int8_t* queries, std::size_t query_stride, const std::int32_t* zeros,
               const std::uint8_t* rows, std::size_t row_stride, std::size_t dim, std::int32_t* out,
               std::size_t out_stride) {
  int32x4_t sums[Q][R];  // in registers only if every loop over them is unrolled
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sums[q][r] = vdupq_n_s32(0);
  for (std::size_t d = 0; d < dim; d += kStep) {
    Values x[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      x[r] = row_at(rows + r * row_stride + d);
      if (Q == 1)  // bound by memory: ask for the rows of a later tile
        __builtin_prefetch(rows + (kTilesAhead * R + r) * row_stride + d);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const Values y = query_at(queries + q * query_stride + d);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) sums[q][r] = Multiplier::of(sums[q][r], x[r], y);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) out[q * out_stride + r] = vaddvq_s32(sums[q][r]) + zeros[q];
}

template <class Multiplier, int Q>
void scan_rows(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* rows,
               std::size_t row_stride, std::size_t n_rows, std::size_t dim, std::int32_t* out,
               std::size_t out_stride) {
  std::int32_t zeros[Q];
  for (int q = 0; q < Q; ++q) zeros[q] = zero_of(queries + q * query_stride, 0, dim);
  std::size_t r = 0;
  for (; r + 2 <= n_rows; r += 2)
    scan_tile<Multiplier, Q, 2>(queries, query_stride, zeros, rows + r * row_stride, row_stride,
                                dim, out + r, out_stride);
  if (r < n_rows)
    scan_tile<Multiplier, Q, 1>(queries, query_stride, zeros, rows + r * row_stride, row_stride,
                                dim, out + r, out_stride);
}

template <class Multiplier>
void scan(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
          const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
          std::int32_t* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4)
    scan_rows<Multiplier, 4>(queries + q * query_stride, query_stride, rows, row_stride, n_rows,
                             dim, out + q * out_stride, out_stride);
  for (; q < n_queries; ++q)
    scan_rows<Multiplier, 1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows,
                             dim, out + q * out_stride, out_stride);
}

}  // namespace
}  // namespace ff
