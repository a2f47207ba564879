// The meaning of the codes, in plain C++.
#include "kernels/encode.hpp"

#include <cmath>

#include "kernels/scalar/float16.hpp"

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

void widen_f16(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = from_f16(in[i]);
}

}  // namespace

extern const EncodeKernels kEncodeScalar = {IsaLevel::scalar, signs, int8, widen_f16};

}  // namespace ff
