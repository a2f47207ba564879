// Hamming distances with AVX-512 VPOPCNTDQ.
//
// Codes of 8, 16 or 32 bytes without gaps: 4, 10 or 19 instructions for 8 rows (0.5, 1.3 or 2.4 a
// row). Others: a load-xor, a vpopcntq and a vpaddq for each 64 bytes and 3 a row to sum up: 6.25 a
// 512-bit row.
#include "kernels/avx512/hamming_rows.hpp"

namespace ff {
namespace {

struct Popcount {
  static __m512i of(__m512i bits) { return _mm512_popcnt_epi64(bits); }
};

}  // namespace

extern const HammingKernels kHammingAvx512Vpopcntdq = {IsaLevel::avx512_vpopcntdq,
                                                       distances<Popcount>, distances_at<Popcount>};

}  // namespace ff
