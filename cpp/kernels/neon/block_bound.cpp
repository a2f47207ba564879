// Bounds of a block with NEON: tiles of 2 queries x 16 rows. For 4 dims of 16 rows and a query: 8
// multiplies (smull) and 8 sadalp; the 4 loads and eors serve both queries. The multiplies are the
// bound.
#include "kernels/neon/block_bound_tiles.hpp"

namespace ff {
namespace {

struct WideningMultiplier {
  static constexpr int kQueries = 2;

  struct Sums {
    int32x4_t first, second;  // of 2 rows each, two lanes a row
  };

  static Sums of(Sums sums, int8x16_t cells, int8x16_t values) {
    return {vpadalq_s16(sums.first, vmull_s8(vget_low_s8(cells), vget_low_s8(values))),
            vpadalq_s16(sums.second, vmull_high_s8(cells, values))};
  }

  static int32x4_t total(Sums sums) { return vpaddq_s32(sums.first, sums.second); }
};

}  // namespace

extern const BlockBoundKernels kBlockBoundNeon = {IsaLevel::neon, 127, first<WideningMultiplier>,
                                                  next<WideningMultiplier>};

}  // namespace ff
