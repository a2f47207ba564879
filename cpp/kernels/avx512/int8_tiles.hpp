// int8 inner products for the AVX-512 sets, which differ in how they multiply: a Multiplier's
// add(sums, row, query) adds 64 products to the 16 lanes of sums. Included by kernels: no STL,
// internal linkage.
//
// rescore: tiles of 4 gathered rows. scan: tiles of 6 queries x 4 rows, 29 of the 32 registers.
// Beside the multiplies: a load a row and query for 64 dims of a tile, and 4 instructions a row and
// query to sum up.
//
// GCC keeps an array of vectors in registers only where the loops over it are unrolled: the
// pragmas.
#pragma once

#include "kernels/avx512/intrinsics.hpp"
#include "kernels/avx512/lane_sums.hpp"
#include "kernels/int8_dot.hpp"

namespace ff {
namespace {

constexpr std::size_t kTile = 4;  // rows

// dots[q]: query q with 4 rows, over n dims from the pointers on.
template <class Multiplier, int Q>
void dot_tile(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* const* rows,
              std::size_t n, __m128i* dots) {
  __m512i sums[Q][kTile];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kTile; ++r) sums[q][r] = _mm512_setzero_si512();
  for (std::size_t d = 0; d < n; d += kInt8Step) {
    __m512i x[kTile];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kTile; ++r) x[r] = _mm512_load_si512(rows[r] + d);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const __m512i y = _mm512_loadu_si512(queries + q * query_stride + d);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kTile; ++r) {
        sums[q][r] = Multiplier::add(sums[q][r], x[r], y);
        pin(sums[q][r]);
      }
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) dots[q] = sums_of(sums[q]);
}

template <class Multiplier>
void rescore(const std::int8_t* query, const std::uint8_t* rows, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* dots) {
  for (std::size_t i = 0; i < n; i += kTile) {
    const std::size_t valid = n - i < kTile ? n - i : kTile;
    const std::uint8_t* tile[kTile];  // past the last row: that row again, its dot not stored
    for (std::size_t r = 0; r < kTile; ++r)
      tile[r] = rows + ids[r < valid ? i + r : n - 1] * row_stride + begin;
    for (std::size_t k = i + kTile; k < i + 2 * kTile && k < n; ++k)
      for (std::size_t d = begin; d < end; d += 64)
        _mm_prefetch(reinterpret_cast<const char*>(rows + ids[k] * row_stride + d), _MM_HINT_T0);
    __m128i sums;
    dot_tile<Multiplier, 1>(query + begin, 0, tile, end - begin, &sums);
    _mm_mask_storeu_epi32(dots + i, first(valid),
                          _mm_add_epi32(_mm_maskz_loadu_epi32(first(valid), dots + i), sums));
  }
}

// A number that the compiler knows.
template <int N>
struct Constant {
  constexpr operator int() const { return N; }
};

template <class Multiplier, int Q>
void scan_rows(const std::int8_t* queries, std::size_t query_stride, const std::uint8_t* rows,
               std::size_t row_stride, std::size_t n_rows, std::size_t dim, std::int32_t* out,
               std::size_t out_stride) {
  for (std::size_t i = 0; i < n_rows; i += kTile) {
    const std::size_t valid = n_rows - i < kTile ? n_rows - i : kTile;
    const std::uint8_t* tile[kTile];
    for (std::size_t r = 0; r < kTile; ++r)
      tile[r] = rows + (r < valid ? i + r : n_rows - 1) * row_stride;
    __m128i dots[Q];
    dot_tile<Multiplier, Q>(queries, query_stride, tile, dim, dots);
    for (int q = 0; q < Q; ++q)
      _mm_mask_storeu_epi32(out + q * out_stride + i, first(valid), dots[q]);
  }
}

template <class Multiplier>
void scan(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
          const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
          std::int32_t* out, std::size_t out_stride) {
  const auto tile = [&](auto some) {
    scan_rows<Multiplier, some>(queries, query_stride, rows, row_stride, n_rows, dim, out,
                                out_stride);
    queries += some * query_stride;
    out += some * out_stride;
    n_queries -= some;
  };
  while (n_queries >= 6) tile(Constant<6>{});
  if (n_queries >= 4) tile(Constant<4>{});
  if (n_queries >= 2) tile(Constant<2>{});
  if (n_queries >= 1) tile(Constant<1>{});
}

}  // namespace
}  // namespace ff
