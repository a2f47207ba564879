// The meaning of a block's bounds, in plain C++.
#include "kernels/block_bound.hpp"

namespace ff {
namespace {

void reaching(const BoundBlock& block, const BoundQuery* queries, std::size_t n_queries,
              std::uint64_t* masks) {
  for (std::size_t q = 0; q < n_queries; ++q) {
    const BoundQuery& query = queries[q];
    masks[q] = 0;
    for (std::size_t r = 0; r < 64; ++r) {
      std::int32_t sum = -query.zero;
      for (std::size_t d = 0; d < block.n_dims; ++d)
        sum += query.values[d] * block.cells[d / 4 * 256 + r * 4 + d % 4];
      const float upper = static_cast<float>(sum) * (query.unit * block.scales[r]) +
                          query.slope * block.errors[r] + query.outside * block.outside[r];
      masks[q] |= static_cast<std::uint64_t>(upper >= query.floor) << r;
    }
  }
}

}  // namespace

extern const BlockBoundKernels kBlockBoundScalar = {IsaLevel::scalar, reaching};

}  // namespace ff
