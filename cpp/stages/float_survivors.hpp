// Rows whose float scores pass a rising threshold.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "stages/shortlist.hpp"

namespace ff {

// Keeps the top `keep` of all rows offered, ties among them by lower row or, with keep_ties, all.
// With a width function scores are upper bounds, and the true score of a row lies at most
// width(row) below; then every row is kept that may belong to the true top `keep`. Rows must be
// offered in ascending order.
class FloatSurvivors {
 public:
  using Width = std::function<float(Row)>;

  FloatSurvivors(std::size_t keep, bool keep_ties, Width width = nullptr);

  void raise_threshold(float threshold) { threshold_ = threshold; }
  float threshold() const { return threshold_; }
  std::size_t size() const { return rows_.size(); }
  void clear();

  // Row r of the block counts if bit r of alive is set and scores[r] >= threshold().
  void offer(const float* scores, std::uint64_t alive, Row first_row);
  // The survivors.
  Shortlist finish();

 private:
  void shorten();

  std::size_t keep_;
  bool keep_ties_;
  Width width_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::size_t limit_;  // length at which the list is cut
  std::vector<Row> rows_;
  std::vector<float> scores_;
  std::vector<std::uint32_t> kept_;
};

}  // namespace ff
