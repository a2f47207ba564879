// Float inner products with NEON.
//
// rescore: per 4 dims 2 loads and 2 fused multiply-adds; bound by the memory of the gathered rows.
// scan: tiles of 4 queries x 4 rows in 16 accumulators, 16 fused multiply-adds for 8 loads.
#include "kernels/inner_product.hpp"

#include <arm_neon.h>

#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kRowsAhead = 3;      // rescore prefetches this many rows ahead
constexpr std::ptrdiff_t kTilesAhead = 2;  // and a scan by one query this many tiles

const float* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const float*>(static_cast<const char*>(rows) +
                                        static_cast<std::ptrdiff_t>(row) * row_stride);
}

// The last n < 4 values, then zeros: a tail is one more step, so equal rows score equally in every
// tile.
float32x4_t tail_at(const float* values, std::size_t n) {
  float lanes[kLanes] = {};
  std::memcpy(lanes, values, n * sizeof(float));
  return vld1q_f32(lanes);
}

void prefetch(const float* row, std::size_t begin, std::size_t end) {
  for (std::size_t d = begin; d < end; d += 16) __builtin_prefetch(row + d);
}

void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n && i < kRowsAhead; ++i)
    prefetch(row_at(rows, row_stride, ids[i]), begin, end);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) prefetch(row_at(rows, row_stride, ids[i + kRowsAhead]), begin, end);
    const float* row = row_at(rows, row_stride, ids[i]);
    float32x4_t dot[4], square[4];
    for (int u = 0; u < 4; ++u) dot[u] = square[u] = vdupq_n_f32(0);
    std::size_t d = begin;
    for (; d + 4 * kLanes <= end; d += 4 * kLanes)
      for (std::size_t u = 0; u < 4; ++u) {
        const float32x4_t x = vld1q_f32(row + d + u * kLanes);
        dot[u] = vfmaq_f32(dot[u], vld1q_f32(query + d + u * kLanes), x);
        square[u] = vfmaq_f32(square[u], x, x);
      }
    for (; d + kLanes <= end; d += kLanes) {
      const float32x4_t x = vld1q_f32(row + d);
      dot[0] = vfmaq_f32(dot[0], vld1q_f32(query + d), x);
      square[0] = vfmaq_f32(square[0], x, x);
    }
    if (d < end) {
      const float32x4_t x = tail_at(row + d, end - d);
      dot[1] = vfmaq_f32(dot[1], tail_at(query + d, end - d), x);
      square[1] = vfmaq_f32(square[1], x, x);
    }
    dots[i] += vaddvq_f32(vaddq_f32(vaddq_f32(dot[0], dot[1]), vaddq_f32(dot[2], dot[3])));
    squares[i] +=
        vaddvq_f32(vaddq_f32(vaddq_f32(square[0], square[1]), vaddq_f32(square[2], square[3])));
  }
}

template <int Q, int R>
void scan_tile(const float* queries, std::size_t query_stride, const void* rows,
               std::ptrdiff_t row_stride, std::size_t dim, float* out, std::size_t out_stride) {
  const float* row[R];
  for (int r = 0; r < R; ++r) row[r] = row_at(rows, row_stride, static_cast<std::size_t>(r));
  float32x4_t sums[Q][R];  // in registers only if every loop over them is unrolled
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sums[q][r] = vdupq_n_f32(0);
  std::size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    float32x4_t x[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      x[r] = vld1q_f32(row[r] + d);
      if (Q == 1 && d % 16 == 0)  // bound by memory: ask for the rows of a later tile
        __builtin_prefetch(reinterpret_cast<const char*>(row[r] + d) +
                           kTilesAhead * R * row_stride);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const float32x4_t y = vld1q_f32(queries + q * query_stride + d);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) sums[q][r] = vfmaq_f32(sums[q][r], x[r], y);
    }
  }
  if (d < dim)
    for (int q = 0; q < Q; ++q) {
      const float32x4_t y = tail_at(queries + q * query_stride + d, dim - d);
      for (int r = 0; r < R; ++r)
        sums[q][r] = vfmaq_f32(sums[q][r], tail_at(row[r] + d, dim - d), y);
    }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) out[q * out_stride + r] = vaddvq_f32(sums[q][r]);
}

template <int Q>
void scan_rows(const float* queries, std::size_t query_stride, const void* rows,
               std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
               std::size_t out_stride) {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4)
    scan_tile<Q, 4>(queries, query_stride, row_at(rows, row_stride, r), row_stride, dim, out + r,
                    out_stride);
  for (; r < n_rows; ++r)
    scan_tile<Q, 1>(queries, query_stride, row_at(rows, row_stride, r), row_stride, dim, out + r,
                    out_stride);
}

void scan(const float* queries, std::size_t query_stride, std::size_t n_queries, const void* rows,
          std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
          std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4)
    scan_rows<4>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                 out + q * out_stride, out_stride);
  for (; q < n_queries; ++q)
    scan_rows<1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                 out + q * out_stride, out_stride);
}

}  // namespace

extern const InnerProductKernels kInnerProductNeon = {IsaLevel::neon, 4, rescore, scan};

}  // namespace ff
