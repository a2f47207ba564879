#include <cmath>
#include <limits>

#include "support.hpp"

namespace ff::test {
namespace {

// The rows are the last floats of their buffer, so they end where it does and start anywhere.
struct Case {
  std::size_t dims, n_rows, stride;  // the stride counts floats
  Aligned<float> rows;
  const float* first() const { return rows.data() + rows.size() - n_rows * stride; }
  const float* row(std::size_t r) const { return first() + r * stride; }
  std::ptrdiff_t stride_bytes() const { return static_cast<std::ptrdiff_t>(4 * stride); }
};

// Small integers: all sums are exact, so every order of adding gives the same floats.
Aligned<float> whole_numbers(std::size_t n, Random& random) {
  Aligned<float> values(n);
  for (float& value : values) value = static_cast<float>(random.integer(-20, 20));
  return values;
}

double dot(const float* a, const float* b, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t d = begin; d < end; ++d) sum += double{a[d]} * double{b[d]};
  return sum;
}

void check_rescore(const InnerProductKernels& kernels, const Case& c, std::size_t n,
                   std::size_t begin, std::size_t end, Random& random) {
  CAPTURE(c.dims);
  CAPTURE(n);
  CAPTURE(begin);
  CAPTURE(end);
  const auto query = whole_numbers(c.dims, random);
  const auto ids = random.ids(n, c.n_rows);
  Aligned<float> dots = whole_numbers(n, random), squares = whole_numbers(n, random);
  Aligned<float> expected_dots = dots, expected_squares = squares;
  for (std::size_t i = 0; i < n; ++i) {
    const float* row = c.row(ids[i]);
    expected_dots[i] += static_cast<float>(dot(query.data(), row, begin, end));
    expected_squares[i] += static_cast<float>(dot(row, row, begin, end));
  }
  kernels.rescore(query.data(), c.first(), c.stride_bytes(), ids.data(), n, begin, end, dots.data(),
                  squares.data());
  CHECK(difference(dots, expected_dots) == "");
  CHECK(difference(squares, expected_squares) == "");
}

void check_scan(const InnerProductKernels& kernels, const Case& c, std::size_t n_queries,
                std::size_t query_gap, std::size_t out_gap, Random& random) {
  CAPTURE(c.dims);
  CAPTURE(c.n_rows);
  CAPTURE(n_queries);
  const std::size_t query_stride = c.dims + query_gap, out_stride = c.n_rows + out_gap;
  const auto queries = whole_numbers(n_queries * query_stride, random);
  std::vector<float> out(n_queries * out_stride, 0.5F), expected = out;
  for (std::size_t q = 0; q < n_queries; ++q)
    for (std::size_t r = 0; r < c.n_rows; ++r)
      expected[q * out_stride + r] =
          static_cast<float>(dot(queries.data() + q * query_stride, c.row(r), 0, c.dims));
  kernels.scan(queries.data(), query_stride, n_queries, c.first(), c.stride_bytes(), c.n_rows,
               c.dims, out.data(), out_stride);
  CHECK(difference(out, expected) == "");
}

void check_whole_numbers(const InnerProductKernels& kernels) {
  Random random(1);
  for (std::size_t dims = 1; dims <= 70; ++dims) {
    const std::size_t stride = dims + dims % 3;
    const Case c = {dims, 13, stride, whole_numbers(13 * stride + dims % 5, random)};
    for (std::size_t n : {0, 1, 2, 3, 4, 5, 8, 11}) check_rescore(kernels, c, n, 0, dims, random);
    check_rescore(kernels, c, 6, dims / 2, dims, random);
    check_rescore(kernels, c, 6, dims / 3, dims / 2, random);
    check_rescore(kernels, c, 6, dims, dims, random);
  }
  for (std::size_t dims : {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 48, 100, 768})
    for (std::size_t n_rows = 0; n_rows <= 9; ++n_rows)
      for (std::size_t n_queries = 0; n_queries <= 13; ++n_queries) {
        const std::size_t stride = dims + n_rows % 3;
        const Case c = {dims, n_rows, stride, whole_numbers(n_rows * stride + dims % 2, random)};
        check_scan(kernels, c, n_queries, n_rows % 2, n_queries % 2, random);
      }
}

// Any order of n additions of rounded products stays within n eps of the sum of magnitudes.
// Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 3.1.
void check_rounding(const InnerProductKernels& kernels) {
  Random random(2);
  for (std::size_t dims : {1, 5, 64, 100, 768, 1536, 3072}) {
    CAPTURE(dims);
    const Case c = {dims, 7, dims, random.reals(7 * dims, -1, 1)};
    const auto queries = random.reals(5 * dims, -1, 1);
    std::vector<float> out(5 * 7), dots(7), squares(7);
    std::vector<std::uint32_t> ids = {0, 1, 2, 3, 4, 5, 6};
    kernels.scan(queries.data(), dims, 5, c.first(), c.stride_bytes(), 7, dims, out.data(), 7);
    kernels.rescore(queries.data(), c.first(), c.stride_bytes(), ids.data(), 7, 0, dims,
                    dots.data(), squares.data());
    const double unit =
        static_cast<double>(dims + 1) * double{std::numeric_limits<float>::epsilon()};
    for (std::size_t q = 0; q < 5; ++q)
      for (std::size_t r = 0; r < 7; ++r) {
        const float *query = queries.data() + q * dims, *row = c.row(r);
        double magnitude = 0;
        for (std::size_t d = 0; d < dims; ++d)
          magnitude += std::fabs(double{query[d]} * double{row[d]});
        const double exact = dot(query, row, 0, dims);
        CHECK(std::fabs(double{out[q * 7 + r]} - exact) <= unit * magnitude);
        if (q == 0) {
          CHECK(std::fabs(double{dots[r]} - exact) <= unit * magnitude);
          const double square = dot(row, row, 0, dims);
          CHECK(std::fabs(double{squares[r]} - square) <= unit * square);
        }
      }
  }
}

// Equal rows score equally wherever they stand and however many queries there are: else ties
// between duplicates would fall to the shape of a tile.
void check_ties(const InnerProductKernels& kernels) {
  Random random(3);
  for (std::size_t dims : {3, 20, 64, 100, 250}) {
    CAPTURE(dims);
    const auto row = random.reals(dims, -1, 1), query = random.reals(dims, -1, 1);
    Case c = {dims, 11, dims, {}};
    Aligned<float> queries;
    for (std::size_t i = 0; i < 11; ++i) {
      c.rows.insert(c.rows.end(), row.begin(), row.end());
      queries.insert(queries.end(), query.begin(), query.end());
    }
    for (std::size_t n_queries = 1; n_queries <= 11; ++n_queries) {
      std::vector<float> out(n_queries * 11);
      kernels.scan(queries.data(), dims, n_queries, c.first(), c.stride_bytes(), 11, dims,
                   out.data(), 11);
      CHECK(difference(out, std::vector<float>(out.size(), out[0])) == "");
    }
    std::vector<std::uint32_t> ids = {0, 1, 2, 3, 4, 5, 6};
    std::vector<float> dots(7), squares(7);
    kernels.rescore(query.data(), c.first(), c.stride_bytes(), ids.data(), 7, 0, dims, dots.data(),
                    squares.data());
    CHECK(difference(dots, std::vector<float>(7, dots[0])) == "");
    CHECK(difference(squares, std::vector<float>(7, squares[0])) == "");
  }
}

TEST_CASE("inner_product: the scalar kernel sums products") {
  check_whole_numbers(reference().inner_product);
  check_rounding(reference().inner_product);
}

TEST_CASE("inner_product: every level, whole numbers exactly, any shape") {
  for_each_level([](const Kernels& k) { check_whole_numbers(k.inner_product); });
}

TEST_CASE("inner_product: every level, rounding bounds") {
  for_each_level([](const Kernels& k) { check_rounding(k.inner_product); });
}

TEST_CASE("inner_product: every level, equal rows score equally") {
  for_each_level([](const Kernels& k) { check_ties(k.inner_product); });
}

}  // namespace
}  // namespace ff::test
