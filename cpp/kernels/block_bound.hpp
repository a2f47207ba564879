// Kernel family: which rows of a block can reach a cosine, by the bounds of a projection.
//
// Bounds are looked at in steps: after the first dims for every row, then after more dims for the
// quarters of a block (16 rows, a register) in which some row still reaches the query's floor.
//
// Layout of a block. 64 rows, as value + 128 in uint8, 64-byte aligned; bytes past the last dim are
// 128, the zero. Step 0: 4 dims of all rows lie together, byte [g][r][i] is dim 4g + i of row r.
// Later steps lie elsewhere, for scans by one query to stream the first; of each, the dims of a
// quarter lie together, byte [r / 16][g][r % 16][i] is dim begin + 4g + i. A register so holds 4
// dims of 16 rows, a query's 4 dims are broadcast, and sums need no adding across lanes.
//
// Query values lie in [-query_max, query_max], 63 where pairs of products must fit in 16 bits, and
// are 0 past the last dim; their sums are exact. The rest is float32, each step rounded or fused as
// the instruction set likes: the caller's bounds leave room for that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"
#include "kernels/int8_dot.hpp"

namespace ff {

constexpr std::size_t kQuarterRows = 16;

struct BoundStep {
  std::size_t number;
  std::size_t begin;  // dims [begin, end), multiples of 4
  std::size_t end;
};

struct BoundBlock {
  const std::uint8_t* first;  // step 0, n_first dims
  const std::uint8_t* later;  // the others, one behind the other
  std::size_t n_first;
  const float* scales;   // 64
  const float* errors;   // 64
  const float* outside;  // 64 a step
};

inline const std::uint8_t* cells_of(const BoundBlock& block, const BoundStep& step) {
  return step.number == 0 ? block.first : block.later + (step.begin - block.n_first) * 64;
}

// Where dim d of row r lies in the cells of a step.
inline std::size_t bound_cell(const BoundStep& step, std::size_t d, std::size_t r) {
  const std::size_t n_rows = step.number == 0 ? 64 : kQuarterRows, dims = step.end - step.begin;
  return r / n_rows * dims * n_rows + ((d - step.begin) / 4 * n_rows + r % n_rows) * 4 + d % 4;
}

struct BoundQuery {
  const std::int8_t* values;
  const std::int32_t* zeros;  // a step: 128 * sum of the values before its end
  const float* outside;       // a step
  float unit;
  float slope;
  float floor;  // less what errs whatever the row
};

struct BlockBoundKernels {
  IsaLevel isa;
  int query_max;

  // Step 0. sums: 64 a query, 64-byte aligned, for next() of the same set to go on from. With sum
  // over d < n_first of values_q[d] * row_r[d], bit r of masks[q] becomes: (sum - zeros[0]) * unit
  // * scales[r] + slope * errors[r]
  //   + outside_q[0] * outside[r] >= floor.
  void (*first)(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
                std::int32_t* sums, std::uint64_t* masks);

  // Step s > 0 for one quarter and the queries which[0 … n): adds dims [begin, end) to their sums,
  // and makes the quarter's 16 bits of their masks anew, with zeros[s] and both outsides of s.
  void (*next)(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
               const BoundQuery* queries, const std::uint32_t* which, std::size_t n,
               std::int32_t* sums, std::uint64_t* masks);
};

}  // namespace ff
