// int8 inner products with AVX-512 VNNI: one vpdpbusd for 64 dims of one query and row.
// rescore: 2.25 instructions for 64 dims of a row: bound by their memory.
// scan: 34 instructions for 64 dims of the 24 pairs of a tile; as many sums are more than the
// multiplies in flight (latency 5, 2 a cycle), so the multipliers are the bound. Exact search of
// 118k x 1024 by int8 rows takes .70 of the time it took with tiles of 4 x 4 that GCC spilled.
#include "kernels/avx512/int8_tiles.hpp"

namespace ff {
namespace {

struct Fours {
  static __m512i add(__m512i sums, __m512i row, __m512i query) {
    return _mm512_dpbusd_epi32(sums, row, query);
  }
};

}  // namespace

extern const Int8DotKernels kInt8DotAvx512Vnni = {IsaLevel::avx512_vnni, rescore<Fours>,
                                                  scan<Fours>, scan<Fours>, kInt8QueryMax};

}  // namespace ff
