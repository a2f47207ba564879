// Rows whose float scores pass a rising threshold.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "stages/shortlist.hpp"

namespace ff {

// Keeps at least the top `keep` of all rows offered, and with slack also every row whose score is
// at most that much below the last of them. Rows must be offered in ascending order.
class FloatSurvivors {
 public:
  FloatSurvivors(std::size_t keep, float slack, bool keep_ties);

  void raise_threshold(float threshold) { threshold_ = threshold; }
  float threshold() const { return threshold_; }
  std::size_t size() const { return rows_.size(); }
  void clear();

  // Row r of the block counts if bit r of alive is set and scores[r] >= threshold().
  void offer(const float* scores, std::uint64_t alive, Row first_row);
  // The survivors, cut to the top keep, ties and slack.
  Shortlist finish();

 private:
  void shorten();

  std::size_t keep_;
  float slack_;
  bool keep_ties_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::size_t limit_;  // length at which the list is cut
  std::vector<Row> rows_;
  std::vector<float> scores_;
  std::vector<std::uint32_t> kept_;
};

}  // namespace ff
