// What a score measures. Stages estimate cosines; with a row's and a query's length each becomes
// the score of another metric.
#pragma once

#include <vector>

#include "stages/scan.hpp"

namespace ff {

// The norms that scores of this metric need beside a funnel's.
PlaneNeeds metric_needs(Metric metric, std::size_t dim);

// Bounds the lengths of all rows of a corpus, which must have their norms.
struct LengthRange {
  double lowest = 0;
  double highest = 0;
};
// For Metric::cosine lengths are not looked at.
LengthRange length_range(const Corpus& corpus, Metric metric);

// Turns cosines into scores, which for Metric::cosine they are.
class Scores {
 public:
  // Needs what metric_needs says.
  Scores(Metric metric, const Queries& queries, const Kernels& kernels);

  // cosines[q * 64 + r] for every query and the rows of the block that exist.
  void of_block(const Segment& segment, std::size_t block, float* cosines) const;
  void of_list(const Corpus& corpus, std::size_t q, Shortlist& list) const;

  // How far a score may lie from the true one, either way, if its cosine is off by at most
  // cosine_error and arithmetic is float32.
  float error(const Segment& segment, std::size_t row, std::size_t q, float cosine_error) const;

  // A cosine that every row reaches whose score is at least this, if its length is in range.
  float cosine_floor(float score, std::size_t q, LengthRange lengths) const;

 private:
  float score(float cosine, float inverse_length, std::size_t q) const;

  Metric metric_;
  std::vector<float> query_lengths_;
};

// Scores for the first dims values of one query, all in float64. A cosine is 0 where either is
// zero.
class Float64Scores {
 public:
  Float64Scores(Metric metric, const float* query, std::size_t dims, const Kernels& kernels);

  // The score of the first dims values of row i.
  double operator()(const MatrixView& rows, std::size_t i) const;

  double query_length() const { return query_length_; }

 private:
  template <class Value, class Dot>
  double score(const Value* row, const Dot& dot) const;

  Metric metric_;
  const float* query_;
  std::size_t dims_;
  const Kernels& kernels_;
  double query_length_;
};

}  // namespace ff
