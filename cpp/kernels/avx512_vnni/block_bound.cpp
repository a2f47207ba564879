// Bounds of a block with AVX-512 VNNI. Step 0: tiles of 6 queries x 64 rows, 24 of the 32
// registers; for 4 dims 4 loads, and for each query a broadcast and 4 vpdpbusd. Later steps: tiles
// of 8 queries x 16 rows; for 4 dims a load, and for each query a vpdpbusd that broadcasts from
// memory. Then 8 instructions a query and register to turn sums into a mask. One vpdpbusd a cycle
// is the bound of both (on Zen 4, measured).
#include "kernels/block_bound.hpp"

#include <cstring>

#include "kernels/avx512/intrinsics.hpp"

namespace ff {
namespace {

constexpr int kRegisters = 4;  // of 16 rows

__m512i broadcast_four(const std::int8_t* values) {
  std::int32_t four;
  std::memcpy(&four, values, 4);
  return _mm512_set1_epi32(four);
}

// What 16 rows bring to the bounds of a step, the same for every query.
struct RowTerms {
  RowTerms(const BoundBlock& block, std::size_t step, std::size_t row)
      : scales(_mm512_loadu_ps(block.scales + row)),
        errors(_mm512_loadu_ps(block.errors + row)),
        outside(_mm512_loadu_ps(block.outside + step * 64 + row)) {}
  __m512 scales, errors, outside;
};

// Sets the 16 bits of rows [row, row + 16), whose sums of a step are complete.
void set_passing(const RowTerms& terms, std::size_t step, std::size_t row, const BoundQuery& query,
                 __m512i sums, std::uint64_t& mask) {
  const __m512i centred = _mm512_sub_epi32(sums, _mm512_set1_epi32(query.zeros[step]));
  const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(query.unit), terms.scales);
  __m512 upper = _mm512_mul_ps(_mm512_cvtepi32_ps(centred), factor);
  upper = _mm512_fmadd_ps(_mm512_set1_ps(query.slope), terms.errors, upper);
  upper = _mm512_fmadd_ps(_mm512_set1_ps(query.outside[step]), terms.outside, upper);
  const __mmask16 passing = _mm512_cmp_ps_mask(upper, _mm512_set1_ps(query.floor), _CMP_GE_OQ);
  std::memcpy(reinterpret_cast<unsigned char*>(&mask) + row / 8, &passing, sizeof passing);
}

template <int Q>
void first_tile(const BoundBlock& block, const BoundQuery* queries, std::int32_t* all_sums,
                std::uint64_t* masks) {
  __m512i sums[Q][kRegisters];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) sums[q][v] = _mm512_setzero_si512();
  const std::int8_t* values[Q];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) values[q] = queries[q].values;
  for (std::size_t d = 0; d < block.n_first; d += 4) {
    const std::uint8_t* cells = block.first + d * 64;
    __m512i rows[kRegisters];
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) rows[v] = _mm512_load_si512(cells + 64 * v);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const __m512i of_query = broadcast_four(values[q] + d);
#pragma GCC unroll 8
      for (int v = 0; v < kRegisters; ++v) {
        sums[q][v] = _mm512_dpbusd_epi32(sums[q][v], rows[v], of_query);
        pin(sums[q][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 8
    for (int v = 0; v < kRegisters; ++v) _mm512_store_si512(all_sums + q * 64 + 16 * v, sums[q][v]);
  // From memory: held in registers, the sums of a tile leave none for its bounds, and the end of a
  // tile took as long as 160 dims of it.
#pragma GCC unroll 1
  for (std::size_t row = 0; row < 64; row += kQuarterRows) {
    const RowTerms terms(block, 0, row);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q)
      set_passing(terms, 0, row, queries[q], _mm512_load_si512(all_sums + q * 64 + row), masks[q]);
  }
}

void first(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
           std::int32_t* sums, std::uint64_t* masks) {
  std::size_t q = 0;
  for (; q + 6 <= n_queries; q += 6) first_tile<6>(block, queries + q, sums + q * 64, masks + q);
  if (q + 4 <= n_queries) {
    first_tile<4>(block, queries + q, sums + q * 64, masks + q);
    q += 4;
  }
  if (q + 2 <= n_queries) {
    first_tile<2>(block, queries + q, sums + q * 64, masks + q);
    q += 2;
  }
  if (q < n_queries) first_tile<1>(block, queries + q, sums + q * 64, masks + q);
}

template <int Q>
void next_tile(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
               const BoundQuery* queries, const std::uint32_t* which, std::int32_t* all_sums,
               std::uint64_t* masks) {
  const std::size_t row = quarter * kQuarterRows;
  __m512i sums[Q];
  const std::int8_t* values[Q];
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    sums[q] = _mm512_load_si512(all_sums + which[q] * 64 + row);
    values[q] = queries[which[q]].values;
  }
  const std::uint8_t* cells = cells_of(block, step) + bound_cell(step, step.begin, row);
  for (std::size_t d = step.begin; d < step.end; d += 4, cells += 64) {
    const __m512i rows = _mm512_load_si512(cells);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      sums[q] = _mm512_dpbusd_epi32(sums[q], rows, broadcast_four(values[q] + d));
      pin(sums[q]);
    }
  }
  const RowTerms terms(block, step.number, row);
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    _mm512_store_si512(all_sums + which[q] * 64 + row, sums[q]);
    set_passing(terms, step.number, row, queries[which[q]], sums[q], masks[which[q]]);
  }
}

void next(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::size_t n, std::int32_t* sums,
          std::uint64_t* masks) {
  for (; n >= 8; n -= 8, which += 8)
    next_tile<8>(block, step, quarter, queries, which, sums, masks);
  if (n >= 4) {
    next_tile<4>(block, step, quarter, queries, which, sums, masks);
    n -= 4, which += 4;
  }
  for (; n >= 1; n -= 1, which += 1)
    next_tile<1>(block, step, quarter, queries, which, sums, masks);
}

}  // namespace

extern const BlockBoundKernels kBlockBoundAvx512Vnni = {IsaLevel::avx512_vnni, 127, first, next};

}  // namespace ff
