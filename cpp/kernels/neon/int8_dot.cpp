// int8 inner products with NEON: smull and three smlal gather 4 products a 16-bit lane, one sadalp
// widens them, so 32 dims of one query and row take 5 multiplies or adds. scan: tiles of 4 queries
// x 2 rows, 56 instructions for 32 dims of the 8 pairs.
#include "kernels/neon/int8_tiles.hpp"

namespace ff {
namespace {

struct WideningMultiplier {
  // 4 * 128 * 63 < 32768: a lane holds four products.
  static int32x4_t of(int32x4_t sums, Values row, Values query) {
    int16x8_t products = vmull_s8(vget_low_s8(row.first), vget_low_s8(query.first));
    products = vmlal_high_s8(products, row.first, query.first);
    products = vmlal_s8(products, vget_low_s8(row.second), vget_low_s8(query.second));
    products = vmlal_high_s8(products, row.second, query.second);
    return vpadalq_s16(sums, products);
  }
};

using M = WideningMultiplier;

}  // namespace

extern const Int8DotKernels kInt8DotNeon = {IsaLevel::neon, rescore<M>, scan<M>, scan<M>,
                                            kInt8QueryMax};

}  // namespace ff
