// What the core tests share: rows of every element type, and brute force in double.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "arrays/matrix_view.hpp"
#include "planes/corpus.hpp"
#include "search/results.hpp"
#include "search/row_filter.hpp"
#include "stages/scan.hpp"
#include "support.hpp"

namespace ff::test {

struct Matrix {
  std::size_t n_rows, dim;
  std::vector<float> values;

  const float* row(std::size_t i) const { return values.data() + i * dim; }
  MatrixView view() const {
    return {reinterpret_cast<const std::byte*>(values.data()), Element::f32, n_rows, dim,
            static_cast<std::ptrdiff_t>(dim * sizeof(float))};
  }
  Queries queries() const { return {values.data(), n_rows, dim}; }
};

inline Matrix real_rows(std::size_t n_rows, std::size_t dim, Random& random) {
  const auto values = random.reals(n_rows * dim, -1, 1);
  return {n_rows, dim, {values.begin(), values.end()}};
}

// Rows of -1 and 1: sums are exact at every precision, and many scores tie.
inline Matrix sign_rows(std::size_t n_rows, std::size_t dim, Random& random) {
  Matrix matrix{n_rows, dim, std::vector<float>(n_rows * dim)};
  for (float& value : matrix.values) value = (random.bits() & 1) != 0 ? 1.0F : -1.0F;
  return matrix;
}

inline std::vector<std::int64_t> consecutive(std::size_t n, std::int64_t first) {
  std::vector<std::int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

// The cosine of two prefixes; 0 for a zero prefix.
inline double cosine(const float* a, const float* b, std::size_t dims) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t d = 0; d < dims; ++d) {
    const double x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? dot / (std::sqrt(aa) * std::sqrt(bb)) : 0;
}

inline std::vector<double> cosines(const Matrix& base, const float* query, std::size_t dims) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < base.n_rows; ++i) scores.push_back(cosine(base.row(i), query, dims));
  return scores;
}

// Of the positions in `among` the k with the highest scores, best first, ties by lower position.
template <class Score>
std::vector<std::size_t> best(const std::vector<Score>& scores, std::vector<std::size_t> among,
                              std::size_t k) {
  k = std::min(k, among.size());
  std::partial_sort(among.begin(), among.begin() + static_cast<std::ptrdiff_t>(k), among.end(),
                    [&](std::size_t a, std::size_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  among.resize(k);
  return among;
}

inline std::vector<std::size_t> all_positions(std::size_t n) {
  std::vector<std::size_t> positions(n);
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  return positions;
}

// A filter, and the positions it lets take part (rows are consecutive).
struct Filter {
  RowFilter filter;
  std::vector<std::size_t> positions;
};

// Lets every row through for which keep(position) is true.
template <class Keep>
Filter make_filter(const Corpus& corpus, const Keep& keep) {
  Filter result{RowFilter(corpus), {}};
  std::size_t position = 0;
  for (std::size_t s = 0; s < corpus.segments().size(); ++s)
    for (std::size_t r = 0; r < corpus.segments()[s]->n_rows(); ++r, ++position)
      if (keep(position)) {
        result.filter.let_through(static_cast<Row>(s * Segment::kMaxRows + r));
        result.positions.push_back(position);
      }
  return result;
}

// Room for the answers of a search, filled with what no search writes.
struct Answers {
  Answers(std::size_t n_queries, std::size_t width)
      : k(width), ids(n_queries * width, -77), scores(n_queries * width, -77.0F) {}

  Results view() { return {ids.data(), scores.data(), k}; }
  bool operator==(const Answers&) const = default;

  std::size_t k;
  std::vector<std::int64_t> ids;
  std::vector<float> scores;
};

// Calls body(kernels) for every level, the scalar one too.
template <class Body>
void for_all_levels(Body body) {
  for (Isa level : available_isas()) {
    const std::string name{isa_name(level)};
    CAPTURE(name);
    body(kernels_for(level));
  }
}

}  // namespace ff::test
