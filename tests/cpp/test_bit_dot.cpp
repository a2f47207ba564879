#include "support.hpp"

namespace ff::test {
namespace {

struct Case {
  std::size_t dims, n_rows, stride;
  Aligned<std::int8_t> query;
  Aligned<std::uint8_t> codes;
};

Case random_case(std::size_t dims, std::size_t n_rows, std::size_t gap, Random& random) {
  const std::size_t stride = dims / 8 + gap;
  return {dims, n_rows, stride, random.integers<std::int8_t>(dims, -127, 127),
          random.bytes(n_rows * stride)};
}

std::vector<std::int32_t> oracle(const Case& c, const std::vector<std::uint32_t>& ids,
                                 std::size_t begin, std::size_t end,
                                 std::vector<std::int32_t> sums) {
  for (std::size_t i = 0; i < ids.size(); ++i)
    for (std::size_t d = begin; d < end; ++d) {
      const unsigned byte = c.codes[ids[i] * c.stride + d / 8];
      if ((byte >> (7 - d % 8)) & 1U) sums[i] += c.query[d];
    }
  return sums;
}

void check(const BitDotKernels& kernels, const Case& c, std::size_t n, std::size_t begin,
           std::size_t end, Random& random) {
  CAPTURE(c.dims);
  CAPTURE(n);
  CAPTURE(begin);
  CAPTURE(end);
  const auto ids = random.ids(n, c.n_rows);
  std::vector<std::int32_t> sums(n);
  for (std::int32_t& sum : sums) sum = static_cast<std::int32_t>(random.integer(-1000, 1000));
  const auto expected = oracle(c, ids, begin, end, sums);
  kernels.rescore(c.query.data(), c.codes.data(), c.stride, ids.data(), n, begin, end, sums.data());
  CHECK(difference(sums, expected) == "");
}

void check_all(const BitDotKernels& kernels) {
  Random random(1);
  for (std::size_t dims : {64, 128, 192, 256, 512, 1024, 4096, 4160, 8192, 8256})
    for (std::size_t gap : {0, 8, 24}) {
      const Case c = random_case(dims, 13, gap, random);
      for (std::size_t n = 0; n <= 9; ++n) check(kernels, c, n, 0, dims, random);
      check(kernels, c, 41, 0, dims, random);
      check(kernels, c, 5, 64, dims, random);
      check(kernels, c, 5, 0, dims - 64, random);
      check(kernels, c, 5, dims, dims, random);
      check(kernels, c, 6, dims / 128 * 64, dims, random);
    }
}

void check_extremes(const BitDotKernels& kernels) {
  Random random(2);
  for (int value : {-127, 127})
    for (int byte : {0, 0x55, 255})
      for (std::size_t dims : {64, 4096, 4160, 16384}) {
        const Case c = {dims, 3, dims / 8,
                        Aligned<std::int8_t>(dims, static_cast<std::int8_t>(value)),
                        Aligned<std::uint8_t>(3 * dims / 8, static_cast<std::uint8_t>(byte))};
        check(kernels, c, 7, 0, dims, random);
      }
}

TEST_CASE("bit_dot: the scalar kernel adds the values at set bits") {
  check_all(reference().bit_dot);
  check_extremes(reference().bit_dot);
}

TEST_CASE("bit_dot: every level, any width, range and count") {
  for_each_level([](const Kernels& k) { check_all(k.bit_dot); });
}

TEST_CASE("bit_dot: every level, extreme values") {
  for_each_level([](const Kernels& k) { check_extremes(k.bit_dot); });
}

}  // namespace
}  // namespace ff::test
