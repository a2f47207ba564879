// The meaning of a block's bounds, in plain C++.
#include "kernels/block_bound.hpp"

namespace ff {
namespace {

// Adds the step to the sums of these rows; their bits of the mask say which reach the floor.
void add(const BoundBlock& block, const BoundStep& step, std::size_t first, std::size_t n_rows,
         const BoundQuery& query, std::int32_t* sums, std::uint64_t& mask) {
  const std::uint8_t* cells = cells_of(block, step);
  const float* outside = block.outside + step.number * 64;
  for (std::size_t r = first; r < first + n_rows; ++r) {
    for (std::size_t d = step.begin; d < step.end; ++d)
      sums[r] += query.values[d] * cells[bound_cell(step, d, r)];
    const float upper =
        static_cast<float>(sums[r] - query.zeros[step.number]) * (query.unit * block.scales[r]) +
        query.slope * block.errors[r] + query.outside[step.number] * outside[r];
    mask &= ~(std::uint64_t{1} << r);
    mask |= static_cast<std::uint64_t>(upper >= query.floor) << r;
  }
}

void first(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
           std::int32_t* sums, std::uint64_t* masks) {
  for (std::size_t q = 0; q < n_queries; ++q) {
    for (std::size_t r = 0; r < 64; ++r) sums[q * 64 + r] = 0;
    add(block, {0, 0, block.n_first}, 0, 64, queries[q], sums + q * 64, masks[q]);
  }
}

void next(const BoundBlock& block, const BoundStep& step, std::size_t quarter,
          const BoundQuery* queries, const std::uint32_t* which, std::size_t n, std::int32_t* sums,
          std::uint64_t* masks) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t q = which[i];
    add(block, step, quarter * kQuarterRows, kQuarterRows, queries[q], sums + q * 64, masks[q]);
  }
}

}  // namespace

extern const BlockBoundKernels kBlockBoundScalar = {IsaLevel::scalar, 127, first, next};

}  // namespace ff
