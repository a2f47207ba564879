// The values of two rows by 16. Included by kernels: no STL, internal linkage.
#pragma once

#include <cstring>

#include "kernels/float64_dot.hpp"

namespace ff {
namespace {

// Calls add(a, b) at each 16 values; the last are filled up with zeros, whose products change no
// sum.
template <class Add>
void for_each_16(const float* a, const float* b, std::size_t n, const Add& add) {
  std::size_t d = 0;
  for (; d + kFloat64Sums <= n; d += kFloat64Sums) add(a + d, b + d);
  if (d == n) return;
  float last_a[kFloat64Sums] = {}, last_b[kFloat64Sums] = {};
  std::memcpy(last_a, a + d, (n - d) * sizeof(float));
  std::memcpy(last_b, b + d, (n - d) * sizeof(float));
  add(last_a, last_b);
}

}  // namespace
}  // namespace ff
