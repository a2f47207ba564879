// The meaning of products in float64, in plain C++: one multiply and one add a dim.
#include "kernels/float64_dot.hpp"

namespace ff {
namespace {

double dot(const float* a, const float* b, std::size_t n) {
  double sums[kFloat64Sums] = {};
  for (std::size_t d = 0; d < n; ++d)
    sums[d % kFloat64Sums] += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  for (std::size_t half = kFloat64Sums / 2; half > 0; half /= 2)
    for (std::size_t s = 0; s < half; ++s) sums[s] += sums[s + half];
  return sums[0];
}

}  // namespace

extern const Float64DotKernels kFloat64DotScalar = {IsaLevel::scalar, dot};

}  // namespace ff
