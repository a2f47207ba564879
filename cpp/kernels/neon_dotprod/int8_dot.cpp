// int8 inner products with SDOT: 16 products a multiply, 32 dims of one query and row take two.
// scan: tiles of 4 queries x 2 rows, 32 instructions for 32 dims of the 8 pairs.
#include "kernels/neon/int8_tiles.hpp"

namespace ff {
namespace {

struct DotMultiplier {
  static int32x4_t of(int32x4_t sums, Values row, Values query) {
    return vdotq_s32(vdotq_s32(sums, row.first, query.first), row.second, query.second);
  }
};

using M = DotMultiplier;

}  // namespace

extern const Int8DotKernels kInt8DotNeonDotprod = {IsaLevel::neon_dotprod, rescore<M>, scan<M>,
                                                   scan<M>, kInt8QueryMax};

}  // namespace ff
