#include <limits>

#include "core_support.hpp"
#include "search/exact_search.hpp"

namespace ff::test {
namespace {

// The true top k among these positions; ids are positions.
Answers oracle(const Matrix& base, const Matrix& queries, const std::vector<std::size_t>& among,
               std::size_t k) {
  Answers answers(queries.n_rows, k);
  for (std::size_t q = 0; q < queries.n_rows; ++q) {
    const auto scores = cosines(base, queries.row(q), base.dim);
    const auto order = best(scores, among, k);
    for (std::size_t i = 0; i < k; ++i) {
      const bool found = i < order.size();
      answers.ids[q * k + i] = found ? static_cast<std::int64_t>(order[i]) : -1;
      answers.scores[q * k + i] =
          found ? static_cast<float>(scores[order[i]]) : -std::numeric_limits<float>::infinity();
    }
  }
  return answers;
}

Answers search(Corpus& corpus, ExactScan scan, const Matrix& queries, std::size_t k,
               const SearchOptions& options) {
  corpus.require(exact_needs(corpus, scan), options.kernels, options.n_threads, "rows");
  Answers answers(queries.n_rows, k);
  exact_search(corpus, scan, queries.queries(), options, answers.view());
  return answers;
}

void check(const Answers& actual, const Answers& expected) {
  CHECK(difference(actual.ids, expected.ids) == "");
  double worst = 0;
  for (std::size_t i = 0; i < expected.scores.size(); ++i)
    if (expected.ids[i] >= 0)
      worst =
          std::max(worst, std::fabs(static_cast<double>(actual.scores[i] - expected.scores[i])));
    else
      CHECK(actual.scores[i] == expected.scores[i]);
  CHECK(worst < 2e-7);
}

// Orthonormal directions by Gram-Schmidt, in float32 as they come; bounds are looked at every 8.
Basis random_basis(std::size_t count, std::size_t dim, Random& random) {
  Basis basis{count, dim, {}, 0, {}};
  for (std::size_t end = 8; end < count; end += 8) basis.steps.push_back(end);
  basis.steps.push_back(count);
  std::vector<std::vector<double>> rows;
  while (rows.size() < count) {
    std::vector<double> row;
    for (float value : random.reals(dim, -1, 1)) row.push_back(static_cast<double>(value));
    for (int twice = 0; twice < 2; ++twice)
      for (const auto& other : rows) {
        double dot = 0;
        for (std::size_t d = 0; d < dim; ++d) dot += row[d] * other[d];
        for (std::size_t d = 0; d < dim; ++d) row[d] -= dot * other[d];
      }
    double squares = 0;
    for (double value : row) squares += value * value;
    for (double& value : row) value /= std::sqrt(squares);
    for (double value : row) basis.directions.push_back(static_cast<float>(value));
    rows.push_back(std::move(row));
  }
  double defect = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      double dot = i == j ? -1 : 0;
      for (std::size_t d = 0; d < dim; ++d)
        dot += static_cast<double>(basis.directions[i * dim + d]) *
               static_cast<double>(basis.directions[j * dim + d]);
      defect += dot * dot;
    }
  basis.defect = std::sqrt(defect);
  return basis;
}

// All scans, one, two and three threads.
void check_all(const MatrixView& rows, const Matrix& base, const Matrix& queries, std::size_t k,
               const Kernels& kernels) {
  CAPTURE(base.n_rows);
  CAPTURE(base.dim);
  CAPTURE(k);
  const Answers expected = oracle(base, queries, all_positions(base.n_rows), k);
  Random random(99);
  const auto basis = std::make_shared<const Basis>(
      random_basis(std::max<std::size_t>(1, base.dim / 3), base.dim, random));
  for (ExactScan scan : {ExactScan::float_rows, ExactScan::int8_rows, ExactScan::projections})
    for (unsigned n_threads : {1U, 2U, 3U}) {
      Corpus corpus = Corpus::borrow(rows);
      corpus.set_basis(basis);
      check(search(corpus, scan, queries, k, {kernels, n_threads}), expected);
    }
}

TEST_CASE("exact_search: every level, any shape, more answers than rows") {
  for_all_levels([](const Kernels& kernels) {
    Random random(1);
    for (std::size_t n_rows : {1, 64, 65, 700})
      for (std::size_t dim : {1, 5, 64, 100}) {
        const Matrix base = real_rows(n_rows, dim, random), queries = real_rows(3, dim, random);
        for (std::size_t k : {1, 10, 800}) check_all(base.view(), base, queries, k, kernels);
      }
  });
}

TEST_CASE("exact_search: ties go to the lower id") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    const Matrix base = sign_rows(3000, 12, random), queries = sign_rows(3, 12, random);
    for (std::size_t k : {1, 7, 100}) check_all(base.view(), base, queries, k, kernels);
    Matrix equal{2000, 12, {}};
    for (std::size_t i = 0; i < 2000; ++i)
      equal.values.insert(equal.values.end(), queries.row(0), queries.row(1));
    check_all(equal.view(), equal, queries, 10, kernels);
  });
}

TEST_CASE("exact_search: zero rows and queries, rows of very different lengths") {
  for_all_levels([](const Kernels& kernels) {
    Random random(3);
    Matrix base = real_rows(900, 30, random), queries = real_rows(3, 30, random);
    std::fill_n(queries.values.begin(), 30, 0.0F);
    for (std::size_t i = 0; i < base.values.size(); ++i)
      base.values[i] *=
          i / 30 % 3 == 0 ? 0.0F : std::ldexp(1.0F, static_cast<int>(i / 30 % 40) - 20);
    for (std::size_t k : {5, 850}) check_all(base.view(), base, queries, k, kernels);
  });
}

TEST_CASE("exact_search: many queries, in groups, over several parts of the rows") {
  for_all_levels([](const Kernels& kernels) {
    Random random(4);
    const Matrix base = real_rows(12500, 5, random);
    for (std::size_t n_queries : {1, 33, 100})
      check_all(base.view(), base, real_rows(n_queries, 5, random), 5, kernels);
  });
}

TEST_CASE("exact_search: more rows than a segment holds, ties across the border") {
  for_all_levels([](const Kernels& kernels) {
    Random random(5);
    const std::size_t n_rows = Segment::kMaxRows + 3000;
    const Matrix spread = real_rows(n_rows, 4, random), signs = sign_rows(n_rows, 16, random);
    check_all(spread.view(), spread, real_rows(2, 4, random), 10, kernels);
    Matrix queries = sign_rows(2, 16, random);
    std::copy_n(signs.row(Segment::kMaxRows + 7), 16, queries.values.begin());
    check_all(signs.view(), signs, queries, 10, kernels);
  });
}

TEST_CASE("exact_search: only rows of the mask answer") {
  for_all_levels([](const Kernels& kernels) {
    Random random(6);
    const Matrix base = real_rows(Segment::kMaxRows + 900, 4, random);
    const Matrix queries = real_rows(2, 4, random);
    for (ExactScan scan : {ExactScan::float_rows, ExactScan::int8_rows}) {
      Corpus corpus = Corpus::borrow(base.view());
      for (std::size_t step : {2, 1000, 40000, 100000}) {
        const Filter filter = make_filter(corpus, [&](std::size_t i) { return i % step == 1; });
        const Answers expected = oracle(base, queries, filter.positions, 8);
        for (unsigned n_threads : {1U, 2U, 3U})
          check(search(corpus, scan, queries, 8, {kernels, n_threads, &filter.filter}), expected);
      }
    }
  });
}

// A small whole number as float16.
std::uint16_t half(int value) {
  if (value == 0) return 0;
  const auto size = static_cast<unsigned>(std::abs(value));
  const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 1;
  return static_cast<std::uint16_t>((value < 0 ? 0x8000U : 0U) | ((exponent + 15) << 10) |
                                    ((size << (10 - exponent)) & 1023U));
}

TEST_CASE("exact_search: every element type and stride gives the answers of float32") {
  for_all_levels([](const Kernels& kernels) {
    Random random(7);
    const std::size_t n_rows = 500, dim = 37;
    const auto codes = random.integers<std::int8_t>(n_rows * dim, -127, 127);
    Matrix base{n_rows, dim, {codes.begin(), codes.end()}};
    const Matrix queries = real_rows(3, dim, random);
    const std::vector<double> doubles(codes.begin(), codes.end());
    std::vector<std::uint16_t> halves;
    for (std::int8_t code : codes) halves.push_back(half(code));
    const auto view = [&](const void* data, Element element, std::size_t size) -> MatrixView {
      return {static_cast<const std::byte*>(data), element, n_rows, dim,
              static_cast<std::ptrdiff_t>(dim * size)};
    };
    check_all(base.view(), base, queries, 9, kernels);
    check_all(view(codes.data(), Element::i8, 1), base, queries, 9, kernels);
    check_all(view(halves.data(), Element::f16, 2), base, queries, 9, kernels);
    check_all(view(doubles.data(), Element::f64, 8), base, queries, 9, kernels);
    MatrixView reversed = view(doubles.data(), Element::f64, 8);
    reversed.data += static_cast<std::ptrdiff_t>(n_rows - 1) * reversed.row_stride;
    reversed.row_stride = -reversed.row_stride;
    Matrix turned = base;
    for (std::size_t i = 0; i < n_rows; ++i)
      std::copy_n(base.row(n_rows - 1 - i), dim, &turned.values[i * dim]);
    check_all(reversed, turned, queries, 9, kernels);
  });
}

TEST_CASE("exact_search: float64 rows that float32 cannot tell apart") {
  const std::size_t n_rows = 300, dim = 4;
  std::vector<double> values(n_rows * dim, 1.0);
  for (std::size_t i = 0; i < n_rows; ++i)
    values[i * dim] += 1e-12 * static_cast<double>((i * 7 + 1) % n_rows + 1);
  const Matrix query{1, dim, {1, 0, 0, 0}};  // the longer the first value, the nearer
  const MatrixView rows = {reinterpret_cast<const std::byte*>(values.data()), Element::f64, n_rows,
                           dim, static_cast<std::ptrdiff_t>(dim * sizeof(double))};
  for_all_levels([&](const Kernels& kernels) {
    for (ExactScan scan : {ExactScan::float_rows, ExactScan::int8_rows}) {
      Corpus corpus = Corpus::borrow(rows);
      const Answers answers = search(corpus, scan, query, 5, {kernels, 2});
      std::vector<std::int64_t> expected;
      for (std::size_t place = 0; place < 5; ++place)
        for (std::size_t i = 0; i < n_rows; ++i)
          if ((i * 7 + 1) % n_rows == n_rows - 1 - place)
            expected.push_back(static_cast<std::int64_t>(i));
      CHECK(difference(answers.ids, expected) == "");
    }
  });
}

// Rows near a plane of few dims: bounds from those dims drop nearly all.
TEST_CASE("exact_search: a basis that holds nearly all of the rows, and rows added to it") {
  for_all_levels([](const Kernels& kernels) {
    Random random(11);
    const std::size_t dim = 48, inside = 8;
    const Basis axes = random_basis(inside, dim, random);
    Matrix base = real_rows(5000, dim, random), queries = real_rows(40, dim, random);
    for (Matrix* matrix : {&base, &queries})
      for (std::size_t i = 0; i < matrix->n_rows; ++i) {
        float* row = matrix->values.data() + i * dim;
        for (std::size_t d = 0; d < dim; ++d) row[d] *= 0.05F;
        for (std::size_t j = 0; j < inside; ++j) {
          const auto weight = static_cast<float>(random.integer(-100, 100)) / 50;
          for (std::size_t d = 0; d < dim; ++d) row[d] += weight * axes.directions[j * dim + d];
        }
      }
    Corpus corpus(dim);
    corpus.set_basis(std::make_shared<const Basis>(axes));
    std::vector<std::int64_t> ids(base.n_rows);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
    corpus.append(base.view().rows(0, 3000), ids.data(), kernels);
    search(corpus, ExactScan::projections, queries, 10, {kernels, 1});  // builds the planes
    corpus.append(base.view().rows(3000, 2000), ids.data() + 3000, kernels);
    check(search(corpus, ExactScan::projections, queries, 10, {kernels, 2}),
          oracle(base, queries, all_positions(base.n_rows), 10));
  });
}

}  // namespace
}  // namespace ff::test
