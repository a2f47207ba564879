// The meaning of the codes, in plain C++.
#include "kernels/encode.hpp"

#include <cmath>
#include <cstring>

namespace ff {
namespace {

void signs(const float* row, std::size_t dim, std::uint8_t* out) {
  for (std::size_t d = 0; d < dim; d += 8) {
    unsigned byte = 0;
    for (std::size_t i = d; i < dim && i < d + 8; ++i) byte |= (row[i] > 0) ? 0x80U >> (i - d) : 0U;
    out[d / 8] = static_cast<std::uint8_t>(byte);
  }
}

float int8(const float* row, std::size_t dim, int limit, std::uint8_t* out) {
  float largest = 0;
  for (std::size_t d = 0; d < dim; ++d) largest = std::fmax(largest, std::fabs(row[d]));
  if (largest < kInt8Smallest) largest = 0;
  const auto highest = static_cast<float>(limit);
  const float inverse = largest > 0 ? highest / largest : 0.0F;
  for (std::size_t d = 0; d < dim; ++d)
    out[d] = static_cast<std::uint8_t>(128 + static_cast<int>(std::nearbyint(row[d] * inverse)));
  return largest / highest;
}

float widen(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U;
  const std::uint32_t fraction = half & 1023U;
  std::uint32_t bits = sign;
  if (exponent == 31) {
    bits |= 0x7f800000U | (fraction << 13);
  } else if (exponent != 0) {
    bits |= ((exponent + 112U) << 23) | (fraction << 13);
  } else if (fraction != 0) {  // subnormal: fraction * 2^-24 is exact in float32
    const float value = static_cast<float>(fraction) * 5.9604644775390625e-8F;
    std::memcpy(&bits, &value, 4);
    bits |= sign;
  }
  float out = 0;
  std::memcpy(&out, &bits, 4);
  return out;
}

void widen_f16(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = widen(in[i]);
}

}  // namespace

extern const EncodeKernels kEncodeScalar = {IsaLevel::scalar, signs, int8, widen_f16};

}  // namespace ff
