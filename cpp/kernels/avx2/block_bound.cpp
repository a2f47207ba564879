// Bounds of a block with AVX2: tiles of 2 queries x 32 rows. For 4 dims of 32 rows and a query: 4
// vpmaddubsw, 4 vpmaddwd, 4 vpaddd; the 4 loads serve both queries. The multiplies are the bound.
#include "kernels/block_bound.hpp"

#include <immintrin.h>

#include <cstring>

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 8 rows, in a tile
constexpr std::size_t kTileRows = 32;

template <int Q>
void tile(const BoundBlock& block, std::size_t first, const BoundQuery* queries,
          std::uint64_t* masks) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[Q][kRegisters];
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < kRegisters; ++v) sums[q][v] = _mm256_set1_epi32(-queries[q].zero);
  for (std::size_t d = 0; d < block.n_dims; d += 4) {
    const auto* cells = reinterpret_cast<const __m256i*>(block.cells + d * 64 + first * 4);
    __m256i rows[kRegisters];
    for (int v = 0; v < kRegisters; ++v) rows[v] = _mm256_load_si256(cells + v);
    for (int q = 0; q < Q; ++q) {
      std::int32_t four;
      std::memcpy(&four, queries[q].values + d, 4);
      const __m256i values = _mm256_set1_epi32(four);
      for (int v = 0; v < kRegisters; ++v)
        sums[q][v] = _mm256_add_epi32(
            sums[q][v], _mm256_madd_epi16(_mm256_maddubs_epi16(rows[v], values), ones));
    }
  }
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < kRegisters; ++v) {
      const std::size_t r = first + 8 * static_cast<std::size_t>(v);
      const __m256 factor =
          _mm256_mul_ps(_mm256_set1_ps(queries[q].unit), _mm256_loadu_ps(block.scales + r));
      __m256 upper = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[q][v]), factor);
      upper = _mm256_fmadd_ps(_mm256_set1_ps(queries[q].slope), _mm256_loadu_ps(block.errors + r),
                              upper);
      upper = _mm256_fmadd_ps(_mm256_set1_ps(queries[q].outside),
                              _mm256_loadu_ps(block.outside + r), upper);
      const int passing =
          _mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(queries[q].floor), _CMP_GE_OQ));
      masks[q] |= static_cast<std::uint64_t>(static_cast<unsigned>(passing)) << r;
    }
}

void reaching(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
              std::uint64_t* masks) {
  for (std::size_t q = 0; q < n_queries; ++q) masks[q] = 0;
  for (std::size_t first = 0; first < 64; first += kTileRows) {
    std::size_t q = 0;
    for (; q + 2 <= n_queries; q += 2) tile<2>(block, first, queries + q, masks + q);
    if (q < n_queries) tile<1>(block, first, queries + q, masks + q);
  }
}

}  // namespace

extern const BlockBoundKernels kBlockBoundAvx2 = {IsaLevel::avx2, reaching};

}  // namespace ff
