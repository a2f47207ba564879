// Bounds of a block with AVX2: tiles of 2 queries x 32 rows, in later steps of 3 queries x 16 rows.
// For 4 dims of 32 rows and a query: 4 vpmaddubsw, 4 vpmaddwd, 4 vpaddd; the loads of rows serve
// all queries of a tile. The multiplies are the bound.
#include "kernels/block_bound.hpp"

#include <immintrin.h>

#include <cstring>

namespace ff {
namespace {

const __m256i* sums_at(const std::int32_t* sums) { return reinterpret_cast<const __m256i*>(sums); }

// V registers of 8 rows from row `first` on. which: the queries of the tile.
template <int Q, int V>
void tile(const BoundBlock& block, const BoundStep& step, std::size_t first,
          const BoundQuery* queries, const std::uint32_t* which, std::int32_t* all_sums,
          std::uint64_t* masks) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[Q][V];
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < V; ++v)
      sums[q][v] = step.begin == 0
                       ? _mm256_setzero_si256()
                       : _mm256_loadu_si256(sums_at(all_sums + which[q] * 64 + first) + v);
  const std::uint8_t* cells_at = cells_of(block, step) + bound_cell(step, step.begin, first);
  for (std::size_t d = step.begin; d < step.end; d += 4) {
    const auto* cells = reinterpret_cast<const __m256i*>(cells_at);
    cells_at += 4 * (step.number == 0 ? 64 : kQuarterRows);
    __m256i rows[V];
    for (int v = 0; v < V; ++v) rows[v] = _mm256_load_si256(cells + v);
    for (int q = 0; q < Q; ++q) {
      std::int32_t four;
      std::memcpy(&four, queries[which[q]].values + d, 4);
      const __m256i values = _mm256_set1_epi32(four);
      for (int v = 0; v < V; ++v)
        sums[q][v] = _mm256_add_epi32(
            sums[q][v], _mm256_madd_epi16(_mm256_maddubs_epi16(rows[v], values), ones));
    }
  }
  const float* outside = block.outside + step.number * 64;
  for (int q = 0; q < Q; ++q) {
    const BoundQuery& query = queries[which[q]];
    std::uint64_t passing = 0;
    for (int v = 0; v < V; ++v) {
      const std::size_t r = first + 8 * static_cast<std::size_t>(v);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(all_sums + which[q] * 64 + r), sums[q][v]);
      const __m256i centred =
          _mm256_sub_epi32(sums[q][v], _mm256_set1_epi32(query.zeros[step.number]));
      const __m256 factor =
          _mm256_mul_ps(_mm256_set1_ps(query.unit), _mm256_loadu_ps(block.scales + r));
      __m256 upper = _mm256_mul_ps(_mm256_cvtepi32_ps(centred), factor);
      upper =
          _mm256_fmadd_ps(_mm256_set1_ps(query.slope), _mm256_loadu_ps(block.errors + r), upper);
      upper = _mm256_fmadd_ps(_mm256_set1_ps(query.outside[step.number]),
                              _mm256_loadu_ps(outside + r), upper);
      const int bits =
          _mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(query.floor), _CMP_GE_OQ));
      passing |= static_cast<std::uint64_t>(static_cast<unsigned>(bits)) << (8 * v);
    }
    const std::uint64_t rows = (std::uint64_t{1} << (8 * V)) - 1;
    masks[which[q]] = (masks[which[q]] & ~(rows << first)) | passing << first;
  }
}

void first(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
           std::int32_t* sums, std::uint64_t* masks) {
  const BoundStep step = {0, 0, block.n_first};
  for (std::size_t row = 0; row < 64; row += 32)
    for (std::uint32_t q = 0; q < n_queries; q += 2) {
      const std::uint32_t which[] = {q, q + 1};
      if (q + 2 <= n_queries)
        tile<2, 4>(block, step, row, queries, which, sums, masks);
      else
        tile<1, 4>(block, step, row, queries, which, sums, masks);
    }
}

void next(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::size_t n, std::int32_t* sums,
          std::uint64_t* masks) {
  const std::size_t row = quarter * kQuarterRows;
  for (; n >= 3; n -= 3, which += 3) tile<3, 2>(block, step, row, queries, which, sums, masks);
  for (; n >= 1; n -= 1, which += 1) tile<1, 2>(block, step, row, queries, which, sums, masks);
}

}  // namespace

extern const BlockBoundKernels kBlockBoundAvx2 = {IsaLevel::avx2, 63, first, next};

}  // namespace ff
