// Asymmetric rescoring with AVX2. The 8 bits of a byte become the highest bit of that byte one
// after the other, by shifting; vpblendvb looks at nothing else, and picks the query's value or
// zero. So 32 dims take a shift, a blend, a vpsadbw and an add: 128 instructions for 1,024 dims.
// The query is first brought into the order in which shifting meets the dims.
#include "kernels/bit_dot.hpp"

#include <immintrin.h>

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 8;     // rescore prefetches this many rows ahead
constexpr std::size_t kGroupDims = 256;   // one register of codes
constexpr std::size_t kChunkDims = 4096;  // of the reordered query, on the stack
constexpr int kZero = 128;  // query values are stored + 128, so that vpsadbw sums them

// Value of dim 256 g + 8 j + b goes to 256 g + 32 b + j.
void reorder(const std::int8_t* query, std::size_t n, std::uint8_t* out) {
  for (std::size_t d = 0; d < (n + kGroupDims - 1) / kGroupDims * kGroupDims; ++d) {
    const std::size_t to = d / kGroupDims * kGroupDims + d % 8 * 32 + d % kGroupDims / 8;
    out[to] = static_cast<std::uint8_t>(d < n ? query[d] + kZero : kZero);
  }
}

// Adds the 256 chosen values to 4 lanes.
__m256i add_group(__m256i sums, __m256i bits, const std::uint8_t* values) {
  const __m256i none = _mm256_set1_epi8(static_cast<char>(kZero));
  const auto* of_bit = reinterpret_cast<const __m256i*>(values);
#pragma GCC unroll 8
  for (int b = 0; b < 8; ++b) {
    const __m256i chosen =
        _mm256_blendv_epi8(none, _mm256_load_si256(of_bit + b), _mm256_slli_epi16(bits, b));
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(chosen, _mm256_setzero_si256()));
  }
  return sums;
}

std::int32_t sum_of(__m256i v) {
  const __m128i s = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return static_cast<std::int32_t>(_mm_cvtsi128_si64(_mm_add_epi64(s, _mm_unpackhi_epi64(s, s))));
}

// Words of a last, partial group that exist.
__m256i word_mask(std::size_t n_words) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(n_words)),
                            _mm256_setr_epi64x(0, 1, 2, 3));
}

void rescore(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* sums) {
  alignas(32) std::uint8_t values[kChunkDims];
  for (std::size_t chunk = begin; chunk < end; chunk += kChunkDims) {
    const std::size_t n_dims = end - chunk < kChunkDims ? end - chunk : kChunkDims;
    const std::size_t n_whole = n_dims / kGroupDims;
    const std::size_t n_words = n_dims % kGroupDims / 64;
    const __m256i exist = word_mask(n_words);
    reorder(query + chunk, n_dims, values);
    const auto zeros = static_cast<std::int32_t>((n_whole + (n_words > 0)) * kGroupDims) * kZero;
    for (std::size_t i = 0; i < n; ++i) {
      if (i + kRowsAhead < n)
        for (std::size_t byte = chunk / 8; byte < (chunk + n_dims) / 8; byte += 64)
          _mm_prefetch(
              reinterpret_cast<const char*>(codes + ids[i + kRowsAhead] * row_stride + byte),
              _MM_HINT_T0);
      const std::uint8_t* row = codes + ids[i] * row_stride + chunk / 8;
      __m256i sum = _mm256_setzero_si256();
      for (std::size_t g = 0; g < n_whole; ++g)
        sum = add_group(sum, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row) + g),
                        values + g * kGroupDims);
      if (n_words > 0)
        sum = add_group(
            sum,
            _mm256_maskload_epi64(reinterpret_cast<const long long*>(row) + n_whole * 4, exist),
            values + n_whole * kGroupDims);
      sums[i] += sum_of(sum) - zeros;
    }
  }
}

}  // namespace

extern const BitDotKernels kBitDotAvx2 = {IsaLevel::avx2, rescore};

}  // namespace ff
