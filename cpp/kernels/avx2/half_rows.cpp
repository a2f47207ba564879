// Half-precision rows with AVX2, FMA and F16C. rescore: per 8 dims a load and a widening (float16:
// 1 instruction, bfloat16: 2), a load of the query and 2 fused multiply-adds; bound by the memory
// of the gathered rows.
#include "kernels/half_rows.hpp"

#include <immintrin.h>

namespace ff {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kRowsAhead = 3;  // are prefetched, as in avx2/inner_product.cpp

const std::uint16_t* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const std::uint16_t*>(static_cast<const char*>(rows) +
                                                static_cast<std::ptrdiff_t>(row) * row_stride);
}

__m128i load(const std::uint16_t* values) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

struct F16 {
  static __m256 widened(__m128i halves) { return _mm256_cvtph_ps(halves); }
};

struct Bf16 {
  static __m256 widened(__m128i halves) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  }
};

// The first n < 8 values, then zeros.
__m128i load_tail(const std::uint16_t* values, std::size_t n) {
  std::uint16_t padded[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) padded[i] = values[i];
  return load(padded);
}

__m256 load_tail(const float* values, std::size_t n) {
  float padded[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) padded[i] = values[i];
  return _mm256_loadu_ps(padded);
}

float sum_of(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

void prefetch(const std::uint16_t* row, std::size_t begin, std::size_t end) {
  for (std::size_t d = begin; d < end; d += 32)
    _mm_prefetch(reinterpret_cast<const char*>(row + d), _MM_HINT_T0);
}

template <class Half>
void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n && i < kRowsAhead; ++i)
    prefetch(row_at(rows, row_stride, ids[i]), begin, end);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) prefetch(row_at(rows, row_stride, ids[i + kRowsAhead]), begin, end);
    const std::uint16_t* row = row_at(rows, row_stride, ids[i]);
    __m256 dot[4], square[4];
    for (int u = 0; u < 4; ++u) dot[u] = square[u] = _mm256_setzero_ps();
    std::size_t d = begin;
    for (; d + 4 * kLanes <= end; d += 4 * kLanes)
      for (int u = 0; u < 4; ++u) {
        const __m256 x = Half::widened(load(row + d + u * kLanes));
        dot[u] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d + u * kLanes), x, dot[u]);
        square[u] = _mm256_fmadd_ps(x, x, square[u]);
      }
    for (; d + kLanes <= end; d += kLanes) {
      const __m256 x = Half::widened(load(row + d));
      dot[0] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), x, dot[0]);
      square[0] = _mm256_fmadd_ps(x, x, square[0]);
    }
    if (d < end) {
      const __m256 x = Half::widened(load_tail(row + d, end - d));
      dot[1] = _mm256_fmadd_ps(load_tail(query + d, end - d), x, dot[1]);
      square[1] = _mm256_fmadd_ps(x, x, square[1]);
    }
    dots[i] += sum_of(_mm256_add_ps(_mm256_add_ps(dot[0], dot[1]), _mm256_add_ps(dot[2], dot[3])));
    squares[i] += sum_of(
        _mm256_add_ps(_mm256_add_ps(square[0], square[1]), _mm256_add_ps(square[2], square[3])));
  }
}

void widen_bf16(const std::uint16_t* in, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) _mm256_storeu_ps(out + i, Bf16::widened(load(in + i)));
  for (; i < n; ++i) {
    const std::uint32_t bits = std::uint32_t{in[i]} << 16;
    __builtin_memcpy(out + i, &bits, 4);
  }
}

// Writes the first n <= 8 of the values.
void store(std::uint16_t* out, __m128i halves, std::size_t n) {
  std::uint16_t padded[kLanes];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(padded), halves);
  for (std::size_t i = 0; i < n; ++i) out[i] = padded[i];
}

__m128i narrowed_f16(__m256 values) {
  return _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

// Adding 0x7fff and the lowest bit that stays carries into it just where rounding goes up.
__m128i narrowed_bf16(__m256 values) {
  const __m256i bits = _mm256_castps_si256(values);
  const __m256i upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(
      _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd), 16);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(values, values, _CMP_UNORD_Q));
  const __m256i result = _mm256_blendv_epi8(rounded, quiet, nan);
  return _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
}

template <__m128i (*narrowed)(__m256)>
void narrow(const float* in, std::size_t n, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), narrowed(_mm256_loadu_ps(in + i)));
  if (i < n) store(out + i, narrowed(load_tail(in + i, n - i)), n - i);
}

}  // namespace

extern const HalfRowKernels kHalfRowsAvx2 = {IsaLevel::avx2,       rescore<F16>,
                                             rescore<Bf16>,        widen_bf16,
                                             narrow<narrowed_f16>, narrow<narrowed_bf16>};

}  // namespace ff
