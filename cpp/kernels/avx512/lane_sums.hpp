// How the int8 and sign-bit kernels of the AVX-512 sets end a tile of 4 rows. Included by kernels:
// no STL, internal linkage.
#pragma once

#include <cstddef>

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

// The sum of the 16 lanes of each of 4 registers.
inline __m128i sums_of(const __m512i* v) {
  const __m512i ab =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const __m512i cd =
      _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  const __m512i abcd =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

// The first n <= 4 of them: past the last row nothing is stored.
inline __mmask8 first(std::size_t n) { return static_cast<__mmask8>((1U << n) - 1U); }

}  // namespace
}  // namespace ff
