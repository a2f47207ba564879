// Cosines of many queries with the rows of one block, at int8 or float precision.
#pragma once

#include <optional>
#include <vector>

#include "arrays/float_rows.hpp"
#include "stages/query_codes.hpp"
#include "stages/scan.hpp"

namespace ff {

// Holds the queries in the form of one precision. One scorer a thread.
class BlockScorer {
 public:
  // coarse: int8 queries have as few bits as make the scan fastest.
  BlockScorer(const Stage& stage, const Queries& queries, const Kernels& kernels,
              bool coarse = false);

  // scores[q * 64 + r] for every query and the rows of the block that exist.
  void score(const Segment& segment, std::size_t block, float* scores);

  // How far a score may lie from the true cosine, either way: base + slope * int8 error of the row.
  struct ErrorBound {
    float base;
    float slope;
  };
  // Stages that read all dims only.
  ErrorBound error_bound(std::size_t q) const;

 private:
  void dot_int8(const Segment& segment, std::size_t first, std::size_t n_rows, float* dots);
  void dot_floats(const Segment& segment, std::size_t first, std::size_t n_rows, float* dots);

  Stage stage_;
  Queries queries_;
  const Kernels& kernels_;
  bool coarse_;
  std::vector<float> inverse_lengths_;  // of the queries' prefixes, 0 for zero queries
  AlignedBuffer int8_values_;           // the queries' integers, one after the other
  std::size_t int8_stride_ = 0;
  std::vector<Int8Query> int8_;
  std::vector<std::int32_t> sums_;
  std::optional<FloatRows> reader_;  // of the segment that was scored last
  const Segment* reader_of_ = nullptr;
};

}  // namespace ff
