// int8 inner products with AVX-512: vpmaddubsw, vpmaddwd by ones, vpaddd for 64 dims of one query
// and row.
// rescore: 4.25 instructions for 64 dims of a row.
// scan: 82 instructions for 64 dims of the 24 pairs of a tile; the two multiplies are the bound
// (1 cycle a pair on two multiply ports).
#include "kernels/avx512/int8_tiles.hpp"

namespace ff {
namespace {

struct Pairs {
  // |query| <= 63 keeps the 16-bit pairs from saturating
  static __m512i add(__m512i sums, __m512i row, __m512i query) {
    const __m512i pairs = _mm512_maddubs_epi16(row, query);
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
};

}  // namespace

extern const Int8DotKernels kInt8DotAvx512 = {IsaLevel::avx512, rescore<Pairs>, scan<Pairs>,
                                              scan<Pairs>, kInt8QueryMax};

}  // namespace ff
