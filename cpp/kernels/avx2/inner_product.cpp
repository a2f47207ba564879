// Float inner products with AVX2 and FMA.
//
// rescore: per 8 dims 2 loads and 2 fused multiply-adds; bound by the memory of the gathered rows.
// scan: tiles of 4 queries x 3 rows in 12 accumulators, 12 fused multiply-adds for 7 loads, so the
// multipliers are the bound (0.5 cycles for 8 dims of one query and row on two FMA ports).
#include "kernels/inner_product.hpp"

#include <immintrin.h>

namespace ff {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kRowsAhead = 3;      // rescore prefetches this many rows ahead
constexpr std::ptrdiff_t kTilesAhead = 2;  // and a scan by one query this many tiles

const float* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const float*>(static_cast<const char*>(rows) +
                                        static_cast<std::ptrdiff_t>(row) * row_stride);
}

float sum_of(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

void prefetch(const float* row, std::size_t begin, std::size_t end) {
  for (std::size_t d = begin; d < end; d += 16)
    _mm_prefetch(reinterpret_cast<const char*>(row + d), _MM_HINT_T0);
}

void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n && i < kRowsAhead; ++i)
    prefetch(row_at(rows, row_stride, ids[i]), begin, end);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) prefetch(row_at(rows, row_stride, ids[i + kRowsAhead]), begin, end);
    const float* row = row_at(rows, row_stride, ids[i]);
    __m256 dot[4], square[4];
    for (int u = 0; u < 4; ++u) dot[u] = square[u] = _mm256_setzero_ps();
    std::size_t d = begin;
    for (; d + 4 * kLanes <= end; d += 4 * kLanes)
      for (int u = 0; u < 4; ++u) {
        const __m256 x = _mm256_loadu_ps(row + d + u * kLanes);
        dot[u] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d + u * kLanes), x, dot[u]);
        square[u] = _mm256_fmadd_ps(x, x, square[u]);
      }
    for (; d + kLanes <= end; d += kLanes) {
      const __m256 x = _mm256_loadu_ps(row + d);
      dot[0] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), x, dot[0]);
      square[0] = _mm256_fmadd_ps(x, x, square[0]);
    }
    float dot_sum =
        sum_of(_mm256_add_ps(_mm256_add_ps(dot[0], dot[1]), _mm256_add_ps(dot[2], dot[3])));
    float square_sum = sum_of(
        _mm256_add_ps(_mm256_add_ps(square[0], square[1]), _mm256_add_ps(square[2], square[3])));
    for (; d < end; ++d) {
      dot_sum += query[d] * row[d];
      square_sum += row[d] * row[d];
    }
    dots[i] += dot_sum;
    squares[i] += square_sum;
  }
}

template <int Q, int R>
void scan_tile(const float* queries, std::size_t query_stride, const void* rows,
               std::ptrdiff_t row_stride, std::size_t dim, float* out, std::size_t out_stride) {
  const float* row[R];
  for (int r = 0; r < R; ++r) row[r] = row_at(rows, row_stride, r);
  __m256 sums[Q][R];  // in registers only if every loop over them is unrolled
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sums[q][r] = _mm256_setzero_ps();
  std::size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    __m256 x[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      x[r] = _mm256_loadu_ps(row[r] + d);
      // One query is bound by memory: ask for the rows of the next tile, which short rows would
      // not let the hardware foresee.
      if (Q == 1)
        _mm_prefetch(reinterpret_cast<const char*>(row[r] + d) + kTilesAhead * R * row_stride,
                     _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const __m256 y = _mm256_loadu_ps(queries + q * query_stride + d);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) sums[q][r] = _mm256_fmadd_ps(x[r], y, sums[q][r]);
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      float sum = sum_of(sums[q][r]);
      for (std::size_t tail = d; tail < dim; ++tail)
        sum += queries[q * query_stride + tail] * row[r][tail];
      out[q * out_stride + r] = sum;
    }
}

template <int Q>
void scan_rows(const float* queries, std::size_t query_stride, const void* rows,
               std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
               std::size_t out_stride) {
  std::size_t r = 0;
  for (; r + 3 <= n_rows; r += 3)
    scan_tile<Q, 3>(queries, query_stride, row_at(rows, row_stride, r), row_stride, dim, out + r,
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

extern const InnerProductKernels kInnerProductAvx2 = {IsaLevel::avx2, kLanes, rescore, scan};

}  // namespace ff
