#include "support.hpp"

namespace ff::test {
namespace {

struct Case {
  std::size_t dims, n_rows, stride;
  Aligned<std::uint8_t> rows;
};

std::int32_t oracle(const std::int8_t* query, const Case& c, std::size_t row, std::size_t begin,
                    std::size_t end) {
  std::int64_t sum = 0;
  for (std::size_t d = begin; d < end; ++d)
    sum += std::int64_t{query[d]} * c.rows[row * c.stride + d];
  CHECK(sum == static_cast<std::int32_t>(sum));
  return static_cast<std::int32_t>(sum);
}

void check_rescore(const Int8DotKernels& kernels, const Aligned<std::int8_t>& query, const Case& c,
                   std::size_t n, std::size_t begin, std::size_t end, Random& random) {
  CAPTURE(c.dims);
  CAPTURE(n);
  CAPTURE(begin);
  CAPTURE(end);
  const auto ids = random.ids(n, c.n_rows);
  std::vector<std::int32_t> dots(n), expected(n);
  for (std::size_t i = 0; i < n; ++i) {
    dots[i] = static_cast<std::int32_t>(random.integer(-1000, 1000));
    expected[i] = dots[i] + oracle(query.data(), c, ids[i], begin, end);
  }
  kernels.rescore(query.data(), c.rows.data(), c.stride, ids.data(), n, begin, end, dots.data());
  CHECK(difference(dots, expected) == "");
}

void check_scan(const Int8DotKernels& kernels, const Case& c, std::size_t n_queries,
                std::size_t query_gap, std::size_t out_gap, Random& random) {
  CAPTURE(c.dims);
  CAPTURE(c.n_rows);
  CAPTURE(n_queries);
  CAPTURE(query_gap);
  const std::size_t query_stride = c.dims + query_gap, out_stride = c.n_rows + out_gap;
  const auto queries = random.integers<std::int8_t>(n_queries * query_stride, -63, 63);
  std::vector<std::int32_t> out(n_queries * out_stride, -7), expected = out;
  for (std::size_t q = 0; q < n_queries; ++q)
    for (std::size_t r = 0; r < c.n_rows; ++r)
      expected[q * out_stride + r] = oracle(queries.data() + q * query_stride, c, r, 0, c.dims);
  kernels.scan(queries.data(), query_stride, n_queries, c.rows.data(), c.stride, c.n_rows, c.dims,
               out.data(), out_stride);
  CHECK(difference(out, expected) == "");

  const auto coarse = random.integers<std::int8_t>(n_queries * query_stride, -kernels.coarse_max,
                                                   kernels.coarse_max);
  for (std::size_t q = 0; q < n_queries; ++q)
    for (std::size_t r = 0; r < c.n_rows; ++r)
      expected[q * out_stride + r] = oracle(coarse.data() + q * query_stride, c, r, 0, c.dims);
  kernels.scan_coarse(coarse.data(), query_stride, n_queries, c.rows.data(), c.stride, c.n_rows,
                      c.dims, out.data(), out_stride);
  CHECK(difference(out, expected) == "");
}

void check_all(const Int8DotKernels& kernels) {
  Random random(1);
  for (std::size_t dims : {64, 128, 192, 256, 768, 1024})
    for (std::size_t gap : {0, 128}) {
      const Case c = {dims, 11, dims + gap, random.bytes(11 * (dims + gap))};
      const auto query = random.integers<std::int8_t>(dims, -63, 63);
      for (std::size_t n = 0; n <= 9; ++n) check_rescore(kernels, query, c, n, 0, dims, random);
      check_rescore(kernels, query, c, 37, 0, dims, random);
      check_rescore(kernels, query, c, 6, 64, dims, random);
      check_rescore(kernels, query, c, 6, 0, dims - 64, random);
      check_rescore(kernels, query, c, 6, dims, dims, random);
    }
  for (std::size_t dims : {0, 64, 256, 448})
    for (std::size_t n_rows = 0; n_rows <= 9; ++n_rows)
      for (std::size_t n_queries = 0; n_queries <= 9; ++n_queries) {
        const Case c = {dims, n_rows, dims, random.bytes(n_rows * dims)};
        check_scan(kernels, c, n_queries, n_rows % 3 * 32, n_rows % 2, random);
      }
}

// The largest sums that vpmaddubsw's 16-bit lanes and the 32-bit totals have to hold.
void check_extremes(const Int8DotKernels& kernels) {
  Random random(2);
  for (int value : {-kInt8QueryMax, kInt8QueryMax})
    for (std::size_t dims : {64, 1024, 132992}) {
      const Case c = {dims, 5, dims, Aligned<std::uint8_t>(5 * dims, 255)};
      const Aligned<std::int8_t> query(dims, static_cast<std::int8_t>(value));
      std::vector<std::uint32_t> ids = {4, 0, 2, 1, 3};
      std::vector<std::int32_t> dots(5), out(5);
      const std::vector<std::int32_t> expected(
          5, static_cast<std::int32_t>(static_cast<std::int64_t>(dims) * 255 * value));
      kernels.rescore(query.data(), c.rows.data(), c.stride, ids.data(), 5, 0, dims, dots.data());
      kernels.scan(query.data(), dims, 1, c.rows.data(), c.stride, 5, dims, out.data(), 5);
      CHECK(difference(dots, expected) == "");
      CHECK(difference(out, expected) == "");

      const auto coarse =
          static_cast<std::int8_t>(value < 0 ? -kernels.coarse_max : kernels.coarse_max);
      const Aligned<std::int8_t> coarse_query(dims, coarse);
      const std::vector<std::int32_t> coarse_expected(
          5, static_cast<std::int32_t>(static_cast<std::int64_t>(dims) * 255 * coarse));
      kernels.scan_coarse(coarse_query.data(), dims, 1, c.rows.data(), c.stride, 5, dims,
                          out.data(), 5);
      CHECK(difference(out, coarse_expected) == "");
    }
}

TEST_CASE("int8_dot: the scalar kernel sums products") {
  check_all(reference().int8_dot);
  check_extremes(reference().int8_dot);
}

TEST_CASE("int8_dot: every level, any width, range and count") {
  for_each_level([](const Kernels& k) { check_all(k.int8_dot); });
}

TEST_CASE("int8_dot: every level, extreme values") {
  for_each_level([](const Kernels& k) { check_extremes(k.int8_dot); });
}

}  // namespace
}  // namespace ff::test
