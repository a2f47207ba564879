// The rows that survived a stage, and what the next stage need not compute again.
#pragma once

#include <vector>

#include "planes/corpus.hpp"
#include "stages/funnel.hpp"

namespace ff {

// Rows ascend. Scores are cosines as the last stage saw them: true, or estimates.
struct Shortlist {
  std::vector<Row> rows;
  std::vector<float> scores;

  // Partial sums over the first carried_dims dims (0: none) at the carried precision: f32 keeps the
  // inner products and the squares of the rows, i8 its integer products. Bits carry nothing: the
  // scan's rounded tables are coarser than what a gathering stage computes.
  Precision carried = Precision::f32;
  std::size_t carried_dims = 0;
  std::vector<float> dots;
  std::vector<float> squares;
  std::vector<std::int32_t> sums;

  std::size_t size() const { return rows.size(); }
  // Keeps the rows at these ascending positions.
  void keep_only(const std::vector<std::uint32_t>& positions);
};

}  // namespace ff
