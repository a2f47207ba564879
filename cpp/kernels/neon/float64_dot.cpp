// Products in float64 with NEON: for 4 dims two loads, four fcvtl that widen and two fmla, which
// round as a product and a sum do, since the product is exact. 2,048 instructions for 1,024 dims.
#include <arm_neon.h>

#include "kernels/float64_blocks.hpp"

namespace ff {
namespace {

constexpr std::size_t kLanes = 2;
constexpr std::size_t kRegisters = kFloat64Sums / kLanes;

void add(const float* a, const float* b, float64x2_t* sums) {
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kRegisters; u += 2) {
    const float32x4_t x = vld1q_f32(a + u * kLanes), y = vld1q_f32(b + u * kLanes);
    sums[u] = vfmaq_f64(sums[u], vcvt_f64_f32(vget_low_f32(x)), vcvt_f64_f32(vget_low_f32(y)));
    sums[u + 1] = vfmaq_f64(sums[u + 1], vcvt_high_f64_f32(x), vcvt_high_f64_f32(y));
  }
}

double dot(const float* a, const float* b, std::size_t n) {
  float64x2_t sums[kRegisters];
  for (std::size_t u = 0; u < kRegisters; ++u) sums[u] = vdupq_n_f64(0);
  for_each_16(a, b, n, [&](const float* x, const float* y) { add(x, y, sums); });
  for (std::size_t half = kRegisters / 2; half > 0; half /= 2)
    for (std::size_t u = 0; u < half; ++u) sums[u] = vaddq_f64(sums[u], sums[u + half]);
  return vgetq_lane_f64(sums[0], 0) + vgetq_lane_f64(sums[0], 1);
}

}  // namespace

extern const Float64DotKernels kFloat64DotNeon = {IsaLevel::neon, dot};

}  // namespace ff
