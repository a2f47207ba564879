// Kernel family: inner products of float32 values in float64, the same to the bit at every level.
//
// The product of two float32 values is exact in float64, so only the order of the additions rounds:
// products of dims d with the same d % 16 are added in that order, in 16 sums; then sums s and
// s + 8 are added, of those s and s + 4, s and s + 2, s and s + 1. Any n, any alignment.
#pragma once

#include <cstddef>

#include "isa/isa_level.hpp"

namespace ff {

inline constexpr std::size_t kFloat64Sums = 16;

struct Float64DotKernels {
  IsaLevel isa;

  // a[0] * b[0] + … + a[n - 1] * b[n - 1].
  double (*dot)(const float* a, const float* b, std::size_t n);
};

}  // namespace ff
