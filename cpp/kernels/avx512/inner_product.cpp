// Float inner products with AVX-512. Tails are masked.
//
// rescore: tiles of 4 gathered rows; per 16 dims of a row a load and 2 fused multiply-adds, and a
// quarter of the query's load; bound by the memory of the rows.
// scan: tiles of 6 queries x 4 rows in 24 accumulators, 24 fused multiply-adds for 10 loads, so the
// multipliers are the bound (0.5 cycles for 16 dims of one query and row on two FMA ports).
// A sum takes 3.25 instructions more at the end of its row.
//
// Whatever the tile, a query and a row are summed in the same order: equal rows score equally.
//
// GCC keeps an array of vectors in registers only where the loops over it are unrolled: the
// pragmas.
#include "kernels/inner_product.hpp"

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kRows = 4;     // of a tile
constexpr std::size_t kQueries = 6;  // of a scan's tile

const float* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const float*>(static_cast<const char*>(rows) +
                                        static_cast<std::ptrdiff_t>(row) * row_stride);
}

// The first n < 16 values, then zeros; what lies behind is not touched.
__m512 load_tail(const float* values, std::size_t n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1U), values);
}

// The sum of the 16 lanes of each of 4 registers.
__m128 sums_of(const __m512* v) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512 abcd = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
  const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(abcd), 1));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), upper);
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

__mmask8 first(std::size_t n) { return static_cast<__mmask8>((1U << n) - 1U); }

void add_to(float* sums, std::size_t n, __m128 v) {
  _mm_mask_storeu_ps(sums, first(n), _mm_add_ps(_mm_maskz_loadu_ps(first(n), sums), v));
}

// Dots and squares of one tile, added to n <= 4 of each. The pointers stand at the first dim.
void rescore_tile(const float* query, const float* const* rows, std::size_t dims, std::size_t n,
                  float* dots, float* squares) {
  __m512 dot[kRows], square[kRows];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) dot[r] = square[r] = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + kLanes <= dims; d += kLanes) {
    const __m512 y = _mm512_loadu_ps(query + d);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 x = _mm512_loadu_ps(rows[r] + d);
      dot[r] = _mm512_fmadd_ps(y, x, dot[r]);
      square[r] = _mm512_fmadd_ps(x, x, square[r]);
    }
  }
  if (d < dims) {
    const __m512 y = load_tail(query + d, dims - d);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 x = load_tail(rows[r] + d, dims - d);
      dot[r] = _mm512_fmadd_ps(y, x, dot[r]);
      square[r] = _mm512_fmadd_ps(x, x, square[r]);
    }
  }
  add_to(dots, n, sums_of(dot));
  add_to(squares, n, sums_of(square));
}

void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n; i += kRows) {
    const std::size_t valid = n - i < kRows ? n - i : kRows;
    const float* tile[kRows];  // past the last row: that row again, its sums not stored
    for (std::size_t r = 0; r < kRows; ++r)
      tile[r] = row_at(rows, row_stride, ids[r < valid ? i + r : n - 1]) + begin;
    for (std::size_t k = i + kRows; k < i + 2 * kRows && k < n; ++k) {
      const float* ahead = row_at(rows, row_stride, ids[k]);
      for (std::size_t d = begin; d < end; d += 16)
        _mm_prefetch(reinterpret_cast<const char*>(ahead + d), _MM_HINT_T0);
    }
    rescore_tile(query + begin, tile, end - begin, valid, dots + i, squares + i);
  }
}

template <int Q>
void scan_tile(const float* queries, std::size_t query_stride, const float* const* rows,
               std::size_t dim, __m128* dots) {
  __m512 sums[Q][kRows];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sums[q][r] = _mm512_setzero_ps();
  std::size_t d = 0;
  __m512 x[kRows];
  for (; d + kLanes <= dim; d += kLanes) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) x[r] = _mm512_loadu_ps(rows[r] + d);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const __m512 y = _mm512_loadu_ps(queries + q * query_stride + d);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) sums[q][r] = _mm512_fmadd_ps(x[r], y, sums[q][r]);
    }
  }
  if (d < dim) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) x[r] = load_tail(rows[r] + d, dim - d);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const __m512 y = load_tail(queries + q * query_stride + d, dim - d);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) sums[q][r] = _mm512_fmadd_ps(x[r], y, sums[q][r]);
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) dots[q] = sums_of(sums[q]);
}

template <int Q>
void scan_rows(const float* queries, std::size_t query_stride, const void* rows,
               std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
               std::size_t out_stride) {
  for (std::size_t i = 0; i < n_rows; i += kRows) {
    const std::size_t valid = n_rows - i < kRows ? n_rows - i : kRows;
    const float* tile[kRows];
    for (std::size_t r = 0; r < kRows; ++r)
      tile[r] = row_at(rows, row_stride, r < valid ? i + r : n_rows - 1);
    __m128 dots[Q];
    scan_tile<Q>(queries, query_stride, tile, dim, dots);
    for (int q = 0; q < Q; ++q) _mm_mask_storeu_ps(out + q * out_stride + i, first(valid), dots[q]);
  }
}

void scan(const float* queries, std::size_t query_stride, std::size_t n_queries, const void* rows,
          std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
          std::size_t out_stride) {
  // by the number of queries left, at most kQueries
  constexpr decltype(&scan_rows<1>) kScanRows[] = {scan_rows<1>, scan_rows<2>, scan_rows<3>,
                                                   scan_rows<4>, scan_rows<5>, scan_rows<6>};
  for (std::size_t q = 0; q < n_queries; q += kQueries) {
    const std::size_t tile = n_queries - q < kQueries ? n_queries - q : kQueries;
    kScanRows[tile - 1](queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                        out + q * out_stride, out_stride);
  }
}

}  // namespace

extern const InnerProductKernels kInnerProductAvx512 = {IsaLevel::avx512, kLanes, rescore, scan};

}  // namespace ff
