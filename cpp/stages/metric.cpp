#include "stages/metric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arrays/float_rows.hpp"
#include "stages/query_codes.hpp"

namespace ff {
namespace {

// Relative rounding of the steps from a cosine to a score, of which there are fewer than 16.
constexpr float kRounding = 16 * 0x1p-24F;

// term(0) + … + term(n - 1), in four parts at a time: one sum would wait for each addition.
template <class Term>
double sum_in_parts(std::size_t n, const Term& term) {
  double parts[4] = {};
  std::size_t d = 0;
  for (; d + 4 <= n; d += 4)
    for (std::size_t u = 0; u < 4; ++u) parts[u] += term(d + u);
  for (; d < n; ++d) parts[0] += term(d);
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

float length_of(float inverse_length) { return inverse_length > 0 ? 1 / inverse_length : 0.0F; }

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

Scores::Scores(Metric metric, const Queries& queries, const Kernels& kernels) : metric_(metric) {
  if (metric == Metric::cosine) return;
  for (std::size_t q = 0; q < queries.count; ++q)
    query_lengths_.push_back(prefix_norm(queries[q], queries.dim, kernels));
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

Float64Scores::Float64Scores(Metric metric, const float* query, std::size_t dims,
                             const Kernels& kernels)
    : metric_(metric),
      query_(query),
      dims_(dims),
      kernels_(kernels),
      query_length_(std::sqrt(kernels.float64_dot.dot(query, query, dims))) {}

// dot(a, b) is the inner product of two rows of Value.
template <class Value, class Dot>
double Float64Scores::score(const Value* row, const Dot& dot) const {
  if (metric_ == Metric::inner_product) return dot(row, query_);
  if (metric_ == Metric::l2)
    return 0 - sum_in_parts(dims_, [&](std::size_t d) {
             const double difference = static_cast<double>(row[d]) - static_cast<double>(query_[d]);
             return difference * difference;
           });
  const double lengths = std::sqrt(dot(row, row)) * query_length_;
  return lengths > 0 ? dot(row, query_) / lengths : 0;
}

double Float64Scores::operator()(const MatrixView& rows, std::size_t i) const {
  if (rows.element == Element::f64)
    return score(reinterpret_cast<const double*>(rows.row(i)), [&](const auto* a, const auto* b) {
      return sum_in_parts(dims_, [&](std::size_t d) {
        return static_cast<double>(a[d]) * static_cast<double>(b[d]);
      });
    });
  FloatRows reader(rows, kernels_);
  return score(reader.row(i, dims_), [&](const float* a, const float* b) {
    return kernels_.float64_dot.dot(a, b, dims_);
  });
}

}  // namespace ff
