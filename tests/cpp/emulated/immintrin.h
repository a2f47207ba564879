// Stands before the compiler's <immintrin.h> when the AVX-512 kernels are built for the emulated
// tests: the same sources, with every AVX-512 intrinsic computed by SIMDe on AVX2.
//
// An intrinsic that is neither in SIMDe 0.7.4 nor below reaches the compiler's own header, which
// refuses it in a translation unit without AVX-512: nothing goes unemulated silently.
#pragma once
#pragma GCC system_header

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

// The compiler has typedefs of these names already.
#define __m512 simde__m512
#define __m512d simde__m512d
#define __m512i simde__m512i

// SIMDe 0.7.4 gives this name the arguments of the masked form.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)

// SIMDe 0.7.4 lacks it.
inline simde__m512 ff_cvtepi32_ps(simde__m512i v) {
  simde__m512 result;
  int integers[16];
  float floats[16];
  __builtin_memcpy(integers, &v, sizeof v);
  for (int i = 0; i < 16; ++i) floats[i] = static_cast<float>(integers[i]);
  __builtin_memcpy(&result, floats, sizeof result);
  return result;
}
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps(v) ff_cvtepi32_ps(v)

// Half and double precision and what goes with them, by the two halves of a register.
template <class Vector, class Half>
inline Vector ff_joined(Half low, Half high) {
  const Half halves[2] = {low, high};
  Vector result;
  __builtin_memcpy(&result, halves, sizeof result);
  return result;
}
inline simde__m512 ff_cvtph_ps(__m256i halves) {
  return ff_joined<simde__m512>(_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
                                _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1)));
}
inline simde__m512d ff_cvtps_pd(__m256 values) {
  return ff_joined<simde__m512d>(_mm256_cvtps_pd(_mm256_castps256_ps128(values)),
                                 _mm256_cvtps_pd(_mm256_extractf128_ps(values, 1)));
}
inline simde__m512i ff_cvtepu16_epi32(__m256i halves) {
  return ff_joined<simde__m512i>(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(halves)),
                                 _mm256_cvtepu16_epi32(_mm256_extracti128_si256(halves, 1)));
}
inline __m256i ff_cvtps_ph(simde__m512 values) {
  __m256 parts[2];
  __builtin_memcpy(parts, &values, sizeof parts);
  return _mm256_setr_m128i(_mm256_cvtps_ph(parts[0], _MM_FROUND_TO_NEAREST_INT),
                           _mm256_cvtps_ph(parts[1], _MM_FROUND_TO_NEAREST_INT));
}
inline __m256i ff_cvtepi32_epi16(simde__m512i v) {
  int wide[16];
  short narrow[16];
  __builtin_memcpy(wide, &v, sizeof v);
  for (int i = 0; i < 16; ++i) narrow[i] = static_cast<short>(wide[i]);
  __m256i result;
  __builtin_memcpy(&result, narrow, sizeof result);
  return result;
}
inline float ff_reduce_add_ps(simde__m512 v) {
  float lanes[16], sum = 0;
  __builtin_memcpy(lanes, &v, sizeof v);
  for (float lane : lanes) sum += lane;
  return sum;
}
#undef _mm512_reduce_add_ps
#define _mm512_reduce_add_ps(v) ff_reduce_add_ps(v)
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepi32_epi16
#define _mm512_cvtepu16_epi32(v) ff_cvtepu16_epi32(v)
#define _mm512_cvtepi32_epi16(v) ff_cvtepi32_epi16(v)
#undef _mm512_cvtps_pd
#define _mm512_cvtps_pd(v) ff_cvtps_pd(v)
#undef _mm512_cvtph_ps
#undef _mm512_cvtps_ph
#define _mm512_cvtph_ps(v) ff_cvtph_ps(v)
#define _mm512_cvtps_ph(v, rounding) ff_cvtps_ph(v)

// Masked loads and stores that SIMDe 0.7.4 lacks. As on the processor, only selected elements are
// touched, so the address sanitizer proves the tails of the kernels.
namespace ff_emulated {

template <class Value, int Lanes, class Vector>
inline Vector load(unsigned long long mask, const void* from) {
  Value lanes[Lanes] = {};
  for (int i = 0; i < Lanes; ++i)
    if ((mask >> i) & 1)
      __builtin_memcpy(&lanes[i], static_cast<const char*>(from) + i * sizeof(Value),
                       sizeof(Value));
  Vector vector;
  __builtin_memcpy(&vector, lanes, sizeof vector);
  return vector;
}

template <class Value, int Lanes, class Vector>
inline void store(void* to, unsigned long long mask, Vector vector) {
  Value lanes[Lanes];
  __builtin_memcpy(lanes, &vector, sizeof vector);
  for (int i = 0; i < Lanes; ++i)
    if ((mask >> i) & 1)
      __builtin_memcpy(static_cast<char*>(to) + i * sizeof(Value), &lanes[i], sizeof(Value));
}

}  // namespace ff_emulated

#define _mm512_maskz_loadu_epi8(k, p) (::ff_emulated::load<char, 64, simde__m512i>(k, p))
#define _mm512_maskz_loadu_ps(k, p) (::ff_emulated::load<float, 16, simde__m512>(k, p))
#define _mm256_maskz_loadu_ps(k, p) (::ff_emulated::load<float, 8, __m256>(k, p))
#define _mm256_maskz_loadu_epi16(k, p) (::ff_emulated::load<short, 16, __m256i>(k, p))
#define _mm256_mask_storeu_epi16(p, k, v) (::ff_emulated::store<short, 16, __m256i>(p, k, v))
#define _mm512_mask_storeu_ps(p, k, v) (::ff_emulated::store<float, 16, simde__m512>(p, k, v))
#define _mm_maskz_loadu_epi32(k, p) (::ff_emulated::load<int, 4, __m128i>(k, p))
#define _mm_maskz_loadu_ps(k, p) (::ff_emulated::load<float, 4, __m128>(k, p))
#define _mm_mask_storeu_epi32(p, k, v) (::ff_emulated::store<int, 4, __m128i>(p, k, v))
#define _mm_mask_storeu_ps(p, k, v) (::ff_emulated::store<float, 4, __m128>(p, k, v))
