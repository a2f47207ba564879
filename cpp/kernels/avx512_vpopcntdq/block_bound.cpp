// Bounds of a block with AVX-512 VNNI: tiles of 6 queries x 64 rows, 24 of the 32 registers. For 4
// dims of 64 rows: 4 loads, and for each query a broadcast and 4 vpdpbusd; then 28 instructions a
// query and block to turn sums into a mask. At 384 dims that is 8 instructions a row; one
// vpdpbusd a cycle is the bound (on Zen 4, measured).
#include "kernels/block_bound.hpp"

#include <cstring>

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 16 rows
constexpr std::size_t kTile = 6;

template <int Q>
void tile(const BoundBlock& block, const BoundQuery* queries, std::uint64_t* masks) {
  __m512i sums[Q][kRegisters];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) sums[q][v] = _mm512_set1_epi32(-queries[q].zero);
  const std::int8_t* values[Q];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) values[q] = queries[q].values;
  for (std::size_t d = 0; d < block.n_dims; d += 4) {
    const std::uint8_t* cells = block.cells + d * 64;
    __m512i rows[kRegisters];
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) rows[v] = _mm512_load_si512(cells + 64 * v);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      std::int32_t four;
      std::memcpy(&four, values[q] + d, 4);
      const __m512i of_query = _mm512_set1_epi32(four);
#pragma GCC unroll 8
      for (int v = 0; v < kRegisters; ++v) {
        sums[q][v] = _mm512_dpbusd_epi32(sums[q][v], rows[v], of_query);
        pin(sums[q][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    masks[q] = 0;
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) {
      const __m512 factor =
          _mm512_mul_ps(_mm512_set1_ps(queries[q].unit), _mm512_loadu_ps(block.scales + 16 * v));
      __m512 upper = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[q][v]), factor);
      upper = _mm512_fmadd_ps(_mm512_set1_ps(queries[q].slope),
                              _mm512_loadu_ps(block.errors + 16 * v), upper);
      upper = _mm512_fmadd_ps(_mm512_set1_ps(queries[q].outside),
                              _mm512_loadu_ps(block.outside + 16 * v), upper);
      const __mmask16 passing =
          _mm512_cmp_ps_mask(upper, _mm512_set1_ps(queries[q].floor), _CMP_GE_OQ);
      masks[q] |= static_cast<std::uint64_t>(passing) << (16 * v);
    }
  }
}

void reaching(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
              std::uint64_t* masks) {
  for (; n_queries >= kTile; n_queries -= kTile, queries += kTile, masks += kTile)
    tile<6>(block, queries, masks);
  if (n_queries >= 4) {
    tile<4>(block, queries, masks);
    n_queries -= 4, queries += 4, masks += 4;
  }
  if (n_queries >= 2) {
    tile<2>(block, queries, masks);
    n_queries -= 2, queries += 2, masks += 2;
  }
  if (n_queries == 1) tile<1>(block, queries, masks);
}

}  // namespace

extern const BlockBoundKernels kBlockBoundAvx512Vnni = {IsaLevel::avx512_vpopcntdq, reaching};

}  // namespace ff
