// Hamming distances with AVX-512 but without its VPOPCNTDQ: bytes are counted by two 4-bit tables
// and added up by vpsadbw, 7 instructions in a vpopcntq's place. Source: W. Mula, N. Kurz, D.
// Lemire, Faster Population Counts Using AVX2 Instructions, 2018.
//
// Codes of 8, 16 or 32 bytes without gaps: 10, 22 or 43 instructions for 8 rows (1.3, 2.8 or 5.4 a
// row; with POPCNT a 256-bit row takes 16, and 12 cycles on Cascade Lake, measured). Others: 9 for
// each 64 bytes and 3 a row to sum up: 12 a 512-bit row.
#include "kernels/avx512/hamming_rows.hpp"

namespace ff {
namespace {

struct NibbleCounts {
  static __m512i of(__m512i bits) {
    const __m512i counts =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bits, 4), nibble);
    const __m512i low = _mm512_and_si512(bits, nibble);
    const __m512i bytes =
        _mm512_add_epi8(_mm512_shuffle_epi8(counts, high), _mm512_shuffle_epi8(counts, low));
    return _mm512_sad_epu8(bytes, _mm512_setzero_si512());
  }
};

}  // namespace

extern const HammingKernels kHammingAvx512 = {IsaLevel::avx512, distances<NibbleCounts>,
                                              distances_at<NibbleCounts>};

}  // namespace ff
