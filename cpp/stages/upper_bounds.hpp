// Which rows of a block can reach a cosine, proven from a few of their bits.
#pragma once

#include <span>

#include "stages/block_scorer.hpp"

namespace ff {

// From the int8 rows: estimate + what both roundings can add.
class Int8Bounds {
 public:
  // floors: a cosine a query.
  Int8Bounds(const Queries& queries, std::span<const float> floors, const Kernels& kernels);

  // Bit r of masks[q]: row r of the block may reach the floor of query q. Bits of rows that do not
  // exist mean nothing.
  void reaching(const Segment& segment, std::size_t block, std::uint64_t* masks);

 private:
  std::span<const float> floors_;
  std::vector<float> scores_;
  BlockScorer scorer_;
  std::vector<BlockScorer::ErrorBound> bounds_;
};

// From the projections: estimate + roundings + what lies outside of the directions that a step has
// seen. A quarter of a block is left as soon as none of its rows can reach a query's floor.
class ProjectedBounds {
 public:
  ProjectedBounds(const Basis& basis, const Queries& queries, std::span<const float> floors,
                  const Kernels& kernels);

  void reaching(const Segment& segment, std::size_t block, std::uint64_t* masks);

 private:
  const Kernels& kernels_;
  const Basis& basis_;
  std::vector<Int8Query> values_;
  std::vector<std::int32_t> zeros_;  // [query][step]
  std::vector<float> outside_;       // [query][step]
  std::vector<BoundQuery> queries_;
  AlignedBuffer sums_;
  std::vector<std::uint32_t> which_;
};

}  // namespace ff
