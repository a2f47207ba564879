// int8 inner products with AVX2: vpmaddubsw, vpmaddwd by ones, vpaddd for 32 dims of one query and
// row. rescore: 4 instructions for 32 dims. scan: tiles of 4 queries x 2 rows, 26 instructions for
// 32 dims of the 8 pairs; the two multiplies are the bound (1 cycle a pair on two multiply ports).
#include "kernels/int8_dot.hpp"

#include <immintrin.h>

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 4;   // rescore prefetches this many rows ahead
constexpr std::size_t kTilesAhead = 4;  // and a scan by one query this many tiles

__m256i load(const void* bytes) { return _mm256_load_si256(static_cast<const __m256i*>(bytes)); }

__m256i load_unaligned(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

// Sums of 32 products in 8 lanes. |query| <= 63 keeps the 16-bit pairs from saturating.
__m256i products(__m256i row, __m256i query, __m256i ones) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(row, query), ones);
}

std::int32_t sum_of(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

void rescore(const std::int8_t* query, const std::uint8_t* rows, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* dots) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::size_t i = 0; i < n && i < kRowsAhead; ++i)
    for (std::size_t d = begin; d < end; d += 64)
      _mm_prefetch(reinterpret_cast<const char*>(rows + ids[i] * row_stride + d), _MM_HINT_T0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* row = rows + ids[i] * row_stride;
    const std::uint8_t* ahead = rows + ids[i + kRowsAhead < n ? i + kRowsAhead : i] * row_stride;
    __m256i sum0 = _mm256_setzero_si256(), sum1 = _mm256_setzero_si256();
    for (std::size_t d = begin; d < end; d += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead + d), _MM_HINT_T0);
      sum0 = _mm256_add_epi32(sum0, products(load(row + d), load_unaligned(query + d), ones));
      sum1 = _mm256_add_epi32(sum1,
                              products(load(row + d + 32), load_unaligned(query + d + 32), ones));
    }
    dots[i] += sum_of(_mm256_add_epi32(sum0, sum1));
  }
}

template <int Q, int R>
void scan_tile(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* rows,
               std::size_t row_stride, std::size_t dim, std::int32_t* out, std::size_t out_stride) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[Q][R];  // in registers only if every loop over them is unrolled
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sums[q][r] = _mm256_setzero_si256();
  for (std::size_t d = 0; d < dim; d += 32) {
    __m256i x[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      x[r] = load(rows + r * row_stride + d);
      if (Q == 1)  // bound by memory: ask for the rows of a later tile
        _mm_prefetch(reinterpret_cast<const char*>(rows + (kTilesAhead * R + r) * row_stride + d),
                     _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) {
      const __m256i y = load_unaligned(queries + q * query_stride + d);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r)
        sums[q][r] = _mm256_add_epi32(sums[q][r], products(x[r], y, ones));
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) out[q * out_stride + r] = sum_of(sums[q][r]);
}

template <int Q>
void scan_rows(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* rows,
               std::size_t row_stride, std::size_t n_rows, std::size_t dim, std::int32_t* out,
               std::size_t out_stride) {
  std::size_t r = 0;
  for (; r + 2 <= n_rows; r += 2)
    scan_tile<Q, 2>(queries, query_stride, rows + r * row_stride, row_stride, dim, out + r,
                    out_stride);
  if (r < n_rows)
    scan_tile<Q, 1>(queries, query_stride, rows + r * row_stride, row_stride, dim, out + r,
                    out_stride);
}

void scan(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
          const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
          std::int32_t* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4)
    scan_rows<4>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                 out + q * out_stride, out_stride);
  for (; q < n_queries; ++q)
    scan_rows<1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                 out + q * out_stride, out_stride);
}

// |query| <= 15: four vpmaddubsw results add up in 16 bits (4 * 2 * 255 * 15 < 32768) before one
// vpmaddwd widens them, so 128 dims of a pair take 5 multiplies where scan takes 8.
constexpr int kCoarseMax = 15;

template <int N>  // 32 * N dims
__m256i coarse_products(const __m256i* row, const std::int8_t* query, __m256i ones) {
  __m256i pairs = _mm256_maddubs_epi16(row[0], load_unaligned(query));
#pragma GCC unroll 4
  for (int i = 1; i < N; ++i)
    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(row[i], load_unaligned(query + 32 * i)));
  return _mm256_madd_epi16(pairs, ones);
}

template <int Q>
void coarse_row(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* row,
                std::size_t dim, std::int32_t* out, std::size_t out_stride, std::size_t ahead) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[Q];
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) sums[q] = _mm256_setzero_si256();
  std::size_t d = 0;
  for (; d + 128 <= dim; d += 128) {
    const __m256i x[4] = {load(row + d), load(row + d + 32), load(row + d + 64),
                          load(row + d + 96)};
    if (Q == 1) {
      _mm_prefetch(reinterpret_cast<const char*>(row + ahead + d), _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(row + ahead + d + 64), _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q)
      sums[q] =
          _mm256_add_epi32(sums[q], coarse_products<4>(x, queries + q * query_stride + d, ones));
  }
  if (d < dim) {
    const __m256i x[2] = {load(row + d), load(row + d + 32)};
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q)
      sums[q] =
          _mm256_add_epi32(sums[q], coarse_products<2>(x, queries + q * query_stride + d, ones));
  }
#pragma GCC unroll 4
  for (int q = 0; q < Q; ++q) out[q * out_stride] = sum_of(sums[q]);
}

template <int Q>
void coarse_rows(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* rows,
                 std::size_t row_stride, std::size_t n_rows, std::size_t dim, std::int32_t* out,
                 std::size_t out_stride) {
  for (std::size_t r = 0; r < n_rows; ++r)
    coarse_row<Q>(queries, query_stride, rows + r * row_stride, dim, out + r, out_stride,
                  2 * kTilesAhead * row_stride);
}

void scan_coarse(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
                 const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows,
                 std::size_t dim, std::int32_t* out, std::size_t out_stride) {
  std::size_t q = 0;
  for (; q + 4 <= n_queries; q += 4)
    coarse_rows<4>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                   out + q * out_stride, out_stride);
  for (; q < n_queries; ++q)
    coarse_rows<1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                   out + q * out_stride, out_stride);
}

}  // namespace

extern const Int8DotKernels kInt8DotAvx2 = {IsaLevel::avx2, rescore, scan, scan_coarse, kCoarseMax};

}  // namespace ff
