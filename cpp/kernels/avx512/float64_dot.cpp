// Products in float64 with AVX-512: for 8 dims two loads that widen and one fused multiply-add,
// which rounds as a product and a sum do, since the product is exact. 384 instructions for 1,024
// dims; bound by the port that widens (2 a 8 dims).
#include "kernels/float64_dot.hpp"

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr std::size_t kLanes = 8;

__m512d add(__m512d sums, __m256 a, __m256 b) {
  return _mm512_fmadd_pd(_mm512_cvtps_pd(a), _mm512_cvtps_pd(b), sums);
}

// The first n of 8 values, n <= 8, 0 behind them.
__m256 first(const float* values, std::size_t n) {
  return _mm256_maskz_loadu_ps(static_cast<__mmask8>((1U << n) - 1U), values);
}

double dot(const float* a, const float* b, std::size_t n) {
  __m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();
  std::size_t d = 0;
  for (; d + kFloat64Sums <= n; d += kFloat64Sums) {
    low = add(low, _mm256_loadu_ps(a + d), _mm256_loadu_ps(b + d));
    high = add(high, _mm256_loadu_ps(a + d + kLanes), _mm256_loadu_ps(b + d + kLanes));
  }
  const std::size_t left = n - d, in_low = left < kLanes ? left : kLanes;
  if (left > 0) low = add(low, first(a + d, in_low), first(b + d, in_low));
  if (left > kLanes)
    high = add(high, first(a + d + kLanes, left - kLanes), first(b + d + kLanes, left - kLanes));
  const __m512d eight = _mm512_add_pd(low, high);
  const __m256d four =
      _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

}  // namespace

extern const Float64DotKernels kFloat64DotAvx512 = {IsaLevel::avx512, dot};

}  // namespace ff
