// Asymmetric rescoring with AVX-512: 4 instructions for 64 dims of a row, with vpmaddubsw and
// vpaddw.
#include "kernels/avx512/bit_dot_rows.hpp"

namespace ff {
namespace {

// Lanes of 16 bits: 64 pairs of at most 254 fit below 32768.
struct Pairs {
  static __m512i add(__m512i sums, __m512i values) {
    return _mm512_add_epi16(sums, _mm512_maddubs_epi16(_mm512_set1_epi8(1), values));
  }
  static __m512i total(__m512i sums) { return _mm512_madd_epi16(sums, _mm512_set1_epi16(1)); }
};

}  // namespace

extern const BitDotKernels kBitDotAvx512 = {IsaLevel::avx512, rescore<Pairs>};

}  // namespace ff
