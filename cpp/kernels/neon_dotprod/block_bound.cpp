// Bounds of a block with SDOT: tiles of 4 queries x 16 rows. For 4 dims of 16 rows and a query: 4
// sdot; the 4 loads and eors serve all four queries.
#include "kernels/neon/block_bound_tiles.hpp"

namespace ff {
namespace {

struct DotMultiplier {
  static constexpr int kQueries = 4;

  using Sums = int32x4_t;

  static Sums of(Sums sums, int8x16_t cells, int8x16_t values) {
    return vdotq_s32(sums, cells, values);
  }

  static int32x4_t total(Sums sums) { return sums; }
};

}  // namespace

extern const BlockBoundKernels kBlockBoundNeonDotprod = {IsaLevel::neon_dotprod, 127,
                                                         first<DotMultiplier>, next<DotMultiplier>};

}  // namespace ff
