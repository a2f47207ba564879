// Comparisons to bits, which NEON has no instruction for: each byte keeps one bit, neighbours are
// added three times. Included by kernels: no STL, internal linkage.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace ff {
namespace {

// 32 bytes of 0 or 255, each given the bit that bits holds for it, as 4 bytes: 6 instructions.
inline std::uint32_t gathered(uint8x16_t first, uint8x16_t second, uint8x16_t bits) {
  uint8x16_t sums = vpaddq_u8(vandq_u8(first, bits), vandq_u8(second, bits));
  sums = vpaddq_u8(sums, sums);
  sums = vpaddq_u8(sums, sums);
  return vgetq_lane_u32(vreinterpretq_u32_u8(sums), 0);
}

// Bit i is byte i.
[[maybe_unused]] inline std::uint32_t lowest_first(uint8x16_t first, uint8x16_t second) {
  const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  return gathered(first, second, bits);
}

// Byte i is the highest bit of its 8, as in numpy.packbits.
[[maybe_unused]] inline std::uint32_t highest_first(uint8x16_t first, uint8x16_t second) {
  const uint8x16_t bits = {128, 64, 32, 16, 8, 4, 2, 1, 128, 64, 32, 16, 8, 4, 2, 1};
  return gathered(first, second, bits);
}

}  // namespace
}  // namespace ff
