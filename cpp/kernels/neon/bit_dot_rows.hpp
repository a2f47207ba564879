// Asymmetric rescoring for the NEON sets, which differ in how they sum: Adder says how. Included by
// kernels: no STL, internal linkage.
//
// 16 bytes of a row are 128 dims. tst with 0x80 >> b makes bytes of 255 where bit b is set, so the
// query is first brought into the order in which bits of equal place lie together.
#pragma once

#include <arm_neon.h>

#include "kernels/bit_dot.hpp"

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 8;     // rescore prefetches this many rows ahead
constexpr std::size_t kGroupDims = 128;   // one register of codes
constexpr std::size_t kChunkDims = 4096;  // of the reordered query, on the stack

// Value of dim 128 g + 8 j + b goes to 128 g + 16 b + j.
void reorder(const std::int8_t* query, std::size_t n, std::int8_t* out) {
  for (std::size_t d = 0; d < (n + kGroupDims - 1) / kGroupDims * kGroupDims; ++d) {
    const std::size_t to = d / kGroupDims * kGroupDims + d % 8 * 16 + d % kGroupDims / 8;
    out[to] = d < n ? query[d] : std::int8_t{0};
  }
}

// Adder: of(sums, bits, values) adds the chosen of 128 values to 4 lanes; total(sums) adds the
// lanes.
template <class Adder>
void rescore(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* sums) {
  alignas(16) std::int8_t values[kChunkDims];
  for (std::size_t chunk = begin; chunk < end; chunk += kChunkDims) {
    const std::size_t n_dims = end - chunk < kChunkDims ? end - chunk : kChunkDims;
    const std::size_t whole = n_dims / kGroupDims * kGroupDims;
    reorder(query + chunk, n_dims, values);
    for (std::size_t i = 0; i < n; ++i) {
      if (i + kRowsAhead < n)
        for (std::size_t byte = chunk / 8; byte < (chunk + n_dims) / 8; byte += 64)
          __builtin_prefetch(codes + ids[i + kRowsAhead] * row_stride + byte);
      const std::uint8_t* row = codes + ids[i] * row_stride + chunk / 8;
      int32x4_t sum = vdupq_n_s32(0);
      for (std::size_t d = 0; d < whole; d += kGroupDims)
        sum = Adder::of(sum, vld1q_u8(row + d / 8), values + d);
      if (whole < n_dims)  // 64 dims more
        sum = Adder::of(sum, vcombine_u8(vld1_u8(row + whole / 8), vcreate_u8(0)), values + whole);
      sums[i] += Adder::total(sum);
    }
  }
}

}  // namespace
}  // namespace ff
