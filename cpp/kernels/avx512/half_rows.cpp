// Half-precision rows with AVX-512. rescore: tiles of 4 gathered rows, as in
// avx512/inner_product.cpp; per 16 dims of a row a load and a widening (float16: 1 instruction,
// bfloat16: 2), 2 fused multiply-adds and a quarter of the query's load; bound by the memory of the
// rows. Tails are masked.
//
// Whatever the tile, a query and a row are summed in the same order: equal rows score equally.
#include "kernels/half_rows.hpp"

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kRows = 4;  // of a tile

const std::uint16_t* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const std::uint16_t*>(static_cast<const char*>(rows) +
                                                static_cast<std::ptrdiff_t>(row) * row_stride);
}

__mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }

__m256i load(const std::uint16_t* values) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

struct F16 {
  static __m512 widened(__m256i halves) { return _mm512_cvtph_ps(halves); }
  static __m256i narrowed(__m512 values) {
    return _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
};

struct Bf16 {
  static __m512 widened(__m256i halves) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  // Adding 0x7fff and the lowest bit that stays carries into it just where rounding goes up.
  static __m256i narrowed(__m512 values) {
    const __m512i bits = _mm512_castps_si512(values);
    const __m512i upper = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(
        _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(
        _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
  }
};

template <class Half>
void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n; i += kRows) {
    const std::size_t valid = n - i < kRows ? n - i : kRows;
    const std::uint16_t* tile[kRows];  // past the last row: that row again, its sums not stored
    for (std::size_t r = 0; r < kRows; ++r)
      tile[r] = row_at(rows, row_stride, ids[r < valid ? i + r : n - 1]);
    for (std::size_t k = i + kRows; k < i + 2 * kRows && k < n; ++k) {
      const std::uint16_t* ahead = row_at(rows, row_stride, ids[k]);
      for (std::size_t d = begin; d < end; d += 32)
        _mm_prefetch(reinterpret_cast<const char*>(ahead + d), _MM_HINT_T0);
    }
    __m512 dot[kRows], square[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) dot[r] = square[r] = _mm512_setzero_ps();
    std::size_t d = begin;
    for (; d + kLanes <= end; d += kLanes) {
      const __m512 y = _mm512_loadu_ps(query + d);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m512 x = Half::widened(load(tile[r] + d));
        dot[r] = _mm512_fmadd_ps(y, x, dot[r]);
        square[r] = _mm512_fmadd_ps(x, x, square[r]);
      }
    }
    if (d < end) {
      const __mmask16 rest = first(end - d);
      const __m512 y = _mm512_maskz_loadu_ps(rest, query + d);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m512 x = Half::widened(_mm256_maskz_loadu_epi16(rest, tile[r] + d));
        dot[r] = _mm512_fmadd_ps(y, x, dot[r]);
        square[r] = _mm512_fmadd_ps(x, x, square[r]);
      }
    }
    for (std::size_t r = 0; r < valid; ++r) {
      dots[i + r] += _mm512_reduce_add_ps(dot[r]);
      squares[i + r] += _mm512_reduce_add_ps(square[r]);
    }
  }
}

void widen_bf16(const std::uint16_t* in, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) _mm512_storeu_ps(out + i, Bf16::widened(load(in + i)));
  if (i < n)
    _mm512_mask_storeu_ps(out + i, first(n - i),
                          Bf16::widened(_mm256_maskz_loadu_epi16(first(n - i), in + i)));
}

template <class Half>
void narrow(const float* in, std::size_t n, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                        Half::narrowed(_mm512_loadu_ps(in + i)));
  if (i < n)
    _mm256_mask_storeu_epi16(out + i, first(n - i),
                             Half::narrowed(_mm512_maskz_loadu_ps(first(n - i), in + i)));
}

}  // namespace

extern const HalfRowKernels kHalfRowsAvx512 = {IsaLevel::avx512, rescore<F16>, rescore<Bf16>,
                                               widen_bf16,       narrow<F16>,  narrow<Bf16>};

}  // namespace ff
