// Products in float64 with AVX2: for 4 dims two loads that widen and one fused multiply-add, which
// rounds as a product and a sum do, since the product is exact. 768 instructions for 1,024 dims;
// bound by the port that widens (2 a 4 dims).
#include <immintrin.h>

#include "kernels/float64_blocks.hpp"

namespace ff {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kRegisters = kFloat64Sums / kLanes;

void add(const float* a, const float* b, __m256d* sums) {
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kRegisters; ++u)
    sums[u] = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + u * kLanes)),
                              _mm256_cvtps_pd(_mm_loadu_ps(b + u * kLanes)), sums[u]);
}

double dot(const float* a, const float* b, std::size_t n) {
  __m256d sums[kRegisters];
  for (std::size_t u = 0; u < kRegisters; ++u) sums[u] = _mm256_setzero_pd();
  for_each_16(a, b, n, [&](const float* x, const float* y) { add(x, y, sums); });
  const __m256d four =
      _mm256_add_pd(_mm256_add_pd(sums[0], sums[2]), _mm256_add_pd(sums[1], sums[3]));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

}  // namespace

extern const Float64DotKernels kFloat64DotAvx2 = {IsaLevel::avx2, dot};

}  // namespace ff
