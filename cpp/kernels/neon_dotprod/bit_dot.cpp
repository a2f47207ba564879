// Asymmetric rescoring with SDOT: 255 where a bit is set is -1, and a dot product of that with the
// values is a choice and a sum in one. For 16 dims a load, a tst and an sdot: 24 instructions for
// 128 dims, 200 for 1,024.
#include "kernels/neon/bit_dot_rows.hpp"

namespace ff {
namespace {

struct DotAdder {
  static int32x4_t of(int32x4_t sums, uint8x16_t bits, const std::int8_t* values) {
#pragma GCC unroll 8
    for (int b = 0; b < 8; ++b) {
      const uint8x16_t set = vtstq_u8(bits, vdupq_n_u8(static_cast<std::uint8_t>(0x80 >> b)));
      sums = vdotq_s32(sums, vreinterpretq_s8_u8(set), vld1q_s8(values + 16 * b));
    }
    return sums;
  }

  static std::int32_t total(int32x4_t sums) { return -vaddvq_s32(sums); }
};

}  // namespace

extern const BitDotKernels kBitDotNeonDotprod = {IsaLevel::neon_dotprod, rescore<DotAdder>};

}  // namespace ff
