// What the bits of a float16 mean, in plain C++. Included by kernels: no STL, internal linkage.
#pragma once

#include <cstdint>
#include <cstring>

namespace ff {
namespace {

inline float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline float from_f16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U, fraction = half & 1023U;
  if (exponent == 31) return float_of(sign | 0x7f800000U | (fraction << 13));
  if (exponent != 0) return float_of(sign | ((exponent + 112U) << 23) | (fraction << 13));
  const float value = static_cast<float>(fraction) * 0x1p-24F;  // subnormal, exact in float32
  return sign != 0 ? -value : value;
}

}  // namespace
}  // namespace ff
