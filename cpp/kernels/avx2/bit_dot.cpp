// Asymmetric rescoring with AVX2: 32 bits become 32 bytes of 0 or 1, vpmaddubsw multiplies them by
// the query. 7 instructions for 32 dims: broadcast, vpshufb, vpand, vpminub, load, vpmaddubsw,
// vpaddw.
#include "kernels/bit_dot.hpp"

#include <immintrin.h>

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 8;     // rescore prefetches this many rows ahead
constexpr std::size_t kFlushDims = 4096;  // 16-bit lanes: 128 pairs of at most 254 fit below 32768

std::int32_t sum_of(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

std::int32_t sum_of_set(const std::int8_t* query, const std::uint8_t* row, std::size_t begin,
                        std::size_t end) {
  // byte i of the register takes byte i / 8 of the 4, then keeps bit 7 - i % 8 of it
  const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                          2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(0x0102040810204080);
  const __m256i one = _mm256_set1_epi8(1);
  __m256i sums = _mm256_setzero_si256();
  for (std::size_t d = begin; d < end; d += 32) {
    int word;
    __builtin_memcpy(&word, row + d / 8, 4);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(word), spread);
    const __m256i set = _mm256_min_epu8(_mm256_and_si256(bytes, bit), one);
    const __m256i values = _mm256_load_si256(reinterpret_cast<const __m256i*>(query + d));
    sums = _mm256_add_epi16(sums, _mm256_maddubs_epi16(set, values));
  }
  return sum_of(_mm256_madd_epi16(sums, _mm256_set1_epi16(1)));
}

void rescore(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* sums) {
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n)
      for (std::size_t byte = begin / 8; byte < end / 8; byte += 64)
        _mm_prefetch(reinterpret_cast<const char*>(codes + ids[i + kRowsAhead] * row_stride + byte),
                     _MM_HINT_T0);
    const std::uint8_t* row = codes + ids[i] * row_stride;
    for (std::size_t d = begin; d < end; d += kFlushDims)
      sums[i] += sum_of_set(query, row, d, d + kFlushDims < end ? d + kFlushDims : end);
  }
}

}  // namespace

extern const BitDotKernels kBitDotAvx2 = {IsaLevel::avx2, rescore};

}  // namespace ff
