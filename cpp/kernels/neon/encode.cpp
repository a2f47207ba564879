// Codes with NEON. signs: 29 instructions for 32 dims; int8: 16 dims a step, two passes, 12 and 21.
#include "kernels/encode.hpp"

#include <arm_neon.h>

#include <cstring>

#include "kernels/neon/bit_masks.hpp"

namespace ff {
namespace {

uint32x4_t positive(const float* row) { return vcgtzq_f32(vld1q_f32(row)); }

// 255 for each of 16 values above 0.
uint8x16_t positive_16(const float* row) {
  const uint16x8_t first =
      vuzp1q_u16(vreinterpretq_u16_u32(positive(row)), vreinterpretq_u16_u32(positive(row + 4)));
  const uint16x8_t second = vuzp1q_u16(vreinterpretq_u16_u32(positive(row + 8)),
                                       vreinterpretq_u16_u32(positive(row + 12)));
  return vuzp1q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(second));
}

void signs(const float* row, std::size_t dim, std::uint8_t* out) {
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const std::uint32_t bytes = highest_first(positive_16(row + d), positive_16(row + d + 16));
    std::memcpy(out + d / 8, &bytes, 4);
  }
  for (; d < dim; d += 8) {
    unsigned byte = 0;
    for (std::size_t i = d; i < dim && i < d + 8; ++i) byte |= (row[i] > 0) ? 0x80U >> (i - d) : 0U;
    out[d / 8] = static_cast<std::uint8_t>(byte);
  }
}

float largest_magnitude(const float* row, std::size_t dim) {
  float32x4_t largest[4];
  for (int u = 0; u < 4; ++u) largest[u] = vdupq_n_f32(0);
  std::size_t d = 0;
  for (; d + 16 <= dim; d += 16)
    for (std::size_t u = 0; u < 4; ++u)
      largest[u] = vmaxnmq_f32(largest[u], vabsq_f32(vld1q_f32(row + d + 4 * u)));
  float result = vmaxnmvq_f32(
      vmaxnmq_f32(vmaxnmq_f32(largest[0], largest[1]), vmaxnmq_f32(largest[2], largest[3])));
  for (; d < dim; ++d) {
    const float value = row[d] < 0 ? -row[d] : row[d];
    result = value > result ? value : result;
  }
  return result;
}

int32x4_t rounded(const float* row, float inverse) {
  return vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(row), inverse));
}

// 8 codes, narrowed with signed saturation.
int8x8_t codes_of(const float* row, float inverse) {
  return vqmovn_s16(vqmovn_high_s32(vqmovn_s32(rounded(row, inverse)), rounded(row + 4, inverse)));
}

float int8(const float* row, std::size_t dim, int limit, std::uint8_t* out) {
  float largest = largest_magnitude(row, dim);
  if (largest < kInt8Smallest) largest = 0;
  const auto highest = static_cast<float>(limit);
  const float inverse = largest > 0 ? highest / largest : 0.0F;
  std::size_t d = 0;
  for (; d + 16 <= dim; d += 16) {
    const int8x16_t codes = vcombine_s8(codes_of(row + d, inverse), codes_of(row + d + 8, inverse));
    vst1q_u8(out + d, veorq_u8(vreinterpretq_u8_s8(codes), vdupq_n_u8(128)));
  }
  for (; d < dim; ++d) out[d] = static_cast<std::uint8_t>(128 + vcvtns_s32_f32(row[d] * inverse));
  return largest / highest;
}

float32x4_t widened(const std::uint16_t* in) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in)));
}

void widen_f16(const std::uint16_t* in, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(out + i, widened(in + i));
  if (i < n) {
    std::uint16_t halves[4] = {};
    float floats[4];
    std::memcpy(halves, in + i, (n - i) * sizeof(std::uint16_t));
    vst1q_f32(floats, widened(halves));
    std::memcpy(out + i, floats, (n - i) * sizeof(float));
  }
}

}  // namespace

extern const EncodeKernels kEncodeNeon = {IsaLevel::neon, signs, int8, widen_f16};

}  // namespace ff
