// Kernel family: which rows of a block can reach a cosine, by the bounds of a projection.
//
// Layout of a block. 64 rows; 4 dims of all rows lie together: byte [g][r][i] is dim 4g + i of row
// r, as value + 128 in uint8, 64-byte aligned; bytes past the last dim are 128, the zero. A
// register so holds 4 dims of 16 rows, a query's 4 dims are broadcast, and sums need no adding
// across lanes.
//
// Query values lie in [-63, 63] and are 0 past the last dim (kernels/int8_dot.hpp says why); their
// sums are exact. The rest is float32, each step rounded or fused as the instruction set likes: the
// caller's bounds leave room for that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"
#include "kernels/int8_dot.hpp"

namespace ff {

struct BoundBlock {
  const std::uint8_t* cells;  // n_dims * 64 bytes
  std::size_t n_dims;         // a multiple of 4
  const float* scales;        // 64 of each
  const float* errors;
  const float* outside;
};

struct BoundQuery {
  const std::int8_t* values;  // n_dims
  std::int32_t zero;          // 128 * sum of the values
  float unit;
  float slope;
  float outside;
  float floor;  // less what errs whatever the row
};

struct BlockBoundKernels {
  IsaLevel isa;

  // Bit r of masks[q]: (sum over d of values[d] * row_r[d] - zero) * unit * scales[r]
  //   + slope * errors[r] + outside * outside[r] >= floor.
  void (*reaching)(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
                   std::uint64_t* masks);
};

}  // namespace ff
