// Codes with AVX2: 32 dims a step. signs: 14 instructions for 32 dims; int8: two passes, 8 and 22.
#include "kernels/encode.hpp"

#include <immintrin.h>

#include <cstring>

namespace ff {
namespace {

// The 32 values of four registers as bytes, in order, narrowed with signed saturation.
__m256i narrow(__m256i a, __m256i b, __m256i c, __m256i d) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

__m256i positive(const float* row) {
  return _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(row), _mm256_setzero_ps(), _CMP_GT_OQ));
}

void signs(const float* row, std::size_t dim, std::uint8_t* out) {
  const __m256i first_bit_highest =
      _mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
                       15, 14, 13, 12, 11, 10, 9, 8);
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const __m256i bytes = narrow(positive(row + d), positive(row + d + 8), positive(row + d + 16),
                                 positive(row + d + 24));
    const int bits = _mm256_movemask_epi8(_mm256_shuffle_epi8(bytes, first_bit_highest));
    std::memcpy(out + d / 8, &bits, 4);
  }
  for (; d < dim; d += 8) {
    unsigned byte = 0;
    for (std::size_t i = d; i < dim && i < d + 8; ++i) byte |= (row[i] > 0) ? 0x80U >> (i - d) : 0U;
    out[d / 8] = static_cast<std::uint8_t>(byte);
  }
}

float largest_magnitude(const float* row, std::size_t dim) {
  const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  __m256 largest[4];
  for (int u = 0; u < 4; ++u) largest[u] = _mm256_setzero_ps();
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32)
    for (int u = 0; u < 4; ++u)
      largest[u] =
          _mm256_max_ps(largest[u], _mm256_and_ps(_mm256_loadu_ps(row + d + 8 * u), magnitude));
  const __m256 all =
      _mm256_max_ps(_mm256_max_ps(largest[0], largest[1]), _mm256_max_ps(largest[2], largest[3]));
  float lanes[8], result = 0;
  _mm256_storeu_ps(lanes, all);
  for (float lane : lanes) result = lane > result ? lane : result;
  for (; d < dim; ++d) {
    const float value = row[d] < 0 ? -row[d] : row[d];
    result = value > result ? value : result;
  }
  return result;
}

__m256i rounded(const float* row, __m256 inverse) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(row), inverse));
}

float int8(const float* row, std::size_t dim, int limit, std::uint8_t* out) {
  float largest = largest_magnitude(row, dim);
  if (largest < kInt8Smallest) largest = 0;
  const auto highest = static_cast<float>(limit);
  const float inverse = largest > 0 ? highest / largest : 0.0F;
  const __m256 factor = _mm256_set1_ps(inverse);
  const __m256i offset = _mm256_set1_epi8(static_cast<char>(128));
  std::size_t d = 0;
  for (; d + 32 <= dim; d += 32) {
    const __m256i bytes = narrow(rounded(row + d, factor), rounded(row + d + 8, factor),
                                 rounded(row + d + 16, factor), rounded(row + d + 24, factor));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + d), _mm256_add_epi8(bytes, offset));
  }
  for (; d < dim; ++d)
    out[d] = static_cast<std::uint8_t>(
        128 + _mm_cvtss_si32(_mm_mul_ss(_mm_set_ss(row[d]), _mm_set_ss(inverse))));
  return largest / highest;
}

void widen_f16(const std::uint16_t* in, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i,
                     _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  for (; i < n; ++i) out[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(in[i])));
}

}  // namespace

extern const EncodeKernels kEncodeAvx2 = {IsaLevel::avx2, signs, int8, widen_f16};

}  // namespace ff
