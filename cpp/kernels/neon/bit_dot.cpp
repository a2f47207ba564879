// Asymmetric rescoring with NEON: for 16 dims a load, a tst, an and, and a sadalp that adds pairs
// into 16-bit lanes; 8 of these stay below 8 * 2 * 127. 33 instructions for 128 dims, 264 for
// 1,024.
#include "kernels/neon/bit_dot_rows.hpp"

namespace ff {
namespace {

struct PairwiseAdder {
  static int32x4_t of(int32x4_t sums, uint8x16_t bits, const std::int8_t* values) {
    int16x8_t pairs = vdupq_n_s16(0);
#pragma GCC unroll 8
    for (int b = 0; b < 8; ++b) {
      const uint8x16_t set = vtstq_u8(bits, vdupq_n_u8(static_cast<std::uint8_t>(0x80 >> b)));
      pairs = vpadalq_s8(pairs, vandq_s8(vreinterpretq_s8_u8(set), vld1q_s8(values + 16 * b)));
    }
    return vpadalq_s16(sums, pairs);
  }

  static std::int32_t total(int32x4_t sums) { return vaddvq_s32(sums); }
};

}  // namespace

extern const BitDotKernels kBitDotNeon = {IsaLevel::neon, rescore<PairwiseAdder>};

}  // namespace ff
