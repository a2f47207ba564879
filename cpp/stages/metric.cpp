#include "stages/metric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arrays/float_rows.hpp"
#include "arrays/summing.hpp"
#include "stages/query_codes.hpp"

namespace ff {
namespace {

// Relative rounding of the steps from a cosine to a score, of which there are fewer than 16.
constexpr float kRounding = 16 * 0x1p-24F;

float length_of(float inverse_length) { return inverse_length > 0 ? 1 / inverse_length : 0.0F; }

template <class Value>
double squared_distance(const Value* row, const float* query, std::size_t dim) {
  return sum_in_parts(dim, [&](std::size_t d) {
    const double difference = static_cast<double>(row[d]) - static_cast<double>(query[d]);
    return difference * difference;
  });
}

template <class Value>
double score(Metric metric, const Value* row, const float* query, std::size_t dim) {
  return metric == Metric::inner_product ? dot_in_double(row, query, dim)
                                         : 0 - squared_distance(row, query, dim);
}

}  // namespace

PlaneNeeds metric_needs(Metric metric, std::size_t dim) {
  PlaneNeeds needs;
  if (metric != Metric::cosine) needs.add_norms(dim);
  return needs;
}

LengthRange length_range(const Corpus& corpus, Metric metric) {
  if (metric == Metric::cosine) return {};
  float shortest = std::numeric_limits<float>::infinity(), longest = 0;
  for (const auto& segment : corpus.segments()) {
    const float* inverse_lengths = segment->inverse_norms(corpus.dim());
    for (std::size_t i = 0; i < segment->n_rows(); ++i) {
      const float length = length_of(inverse_lengths[i]);
      shortest = std::min(shortest, length);
      longest = std::max(longest, length);
    }
  }
  constexpr double kMargin = 1e-6;  // lengths are rounded to float32
  return {static_cast<double>(shortest) * (1 - kMargin),
          static_cast<double>(longest) * (1 + kMargin)};
}

Scores::Scores(Metric metric, const Queries& queries) : metric_(metric) {
  if (metric == Metric::cosine) return;
  for (std::size_t q = 0; q < queries.count; ++q)
    query_lengths_.push_back(prefix_norm(queries[q], queries.dim));
}

float Scores::score(float cosine, float inverse_length, std::size_t q) const {
  const float row = length_of(inverse_length), query = query_lengths_[q];
  if (metric_ == Metric::inner_product) return row * query * cosine;
  return 0 - std::max(0.0F, row * row + query * query - 2 * row * query * cosine);
}

void Scores::of_block(const Segment& segment, std::size_t block, float* cosines) const {
  if (metric_ == Metric::cosine) return;
  const std::size_t first = block * kBlockRows;
  const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - first);
  const float* inverse_lengths = segment.inverse_norms(segment.dim()) + first;
  for (std::size_t q = 0; q < query_lengths_.size(); ++q)
    for (std::size_t r = 0; r < n_rows; ++r)
      cosines[q * kBlockRows + r] = score(cosines[q * kBlockRows + r], inverse_lengths[r], q);
}

void Scores::of_list(const Corpus& corpus, std::size_t q, Shortlist& list) const {
  if (metric_ == Metric::cosine) return;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Segment& segment = corpus.segment_of(list.rows[i]);
    const float* inverse_lengths = segment.inverse_norms(corpus.dim());
    list.scores[i] = score(list.scores[i], inverse_lengths[list.rows[i] % Segment::kMaxRows], q);
  }
}

float Scores::error(const Segment& segment, std::size_t row, std::size_t q,
                    float cosine_error) const {
  if (metric_ == Metric::cosine) return cosine_error;
  const float length = length_of(segment.inverse_norms(segment.dim())[row]);
  const float query = query_lengths_[q], product = length * query;
  if (metric_ == Metric::inner_product) return product * (cosine_error + kRounding);
  return 2 * product * cosine_error + (length + query) * (length + query) * kRounding;
}

// With length l of a row and m of the query, in float64, margins for norms rounded to float32:
//   ip: score <= l m cos. l2: score = 2 l m cos - l^2 - m^2, so cos >= (l + c / l) / 2m with
//   c = score + m^2, least at l = sqrt(c) or the end of the range next to it.
float Scores::cosine_floor(float score, std::size_t q, LengthRange lengths) const {
  if (metric_ == Metric::cosine) return score;
  constexpr double kMargin = 1e-6;
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const double query = static_cast<double>(query_lengths_[q]), wanted = static_cast<double>(score);
  double least = 0;
  if (metric_ == Metric::inner_product) {
    const double length = wanted > 0 ? lengths.highest : lengths.lowest;
    if (!(length * query > 0)) return kNone;
    least = wanted / (length * query);
  } else {
    const double c = wanted + query * query * (1 - 4 * kMargin);
    const double length = std::clamp(std::sqrt(std::max(0.0, c)), lengths.lowest, lengths.highest);
    if (!(length * query > 0)) return kNone;
    least = (length + c / length) / (2 * query);
  }
  return static_cast<float>(least - 8 * kMargin * std::max(1.0, std::abs(least)));
}

double score_in_double(Metric metric, const MatrixView& rows, std::size_t i, const float* query,
                       const Kernels& kernels) {
  if (metric == Metric::cosine) return cosine_in_double(rows, i, query, rows.dim, kernels);
  if (rows.element == Element::f64)
    return score(metric, reinterpret_cast<const double*>(rows.row(i)), query, rows.dim);
  FloatRows reader(rows, kernels);
  return score(metric, reader.row(i), query, rows.dim);
}

}  // namespace ff
