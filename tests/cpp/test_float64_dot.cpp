#include <cmath>
#include <limits>

#include "support.hpp"

namespace ff::test {
namespace {

using Values = std::vector<float>;

Values random_values(std::size_t n, int exponents, Random& random) {
  Values values(n);
  for (float& value : values)
    value = std::ldexp(static_cast<float>(random.integer(-0xffffff, 0xffffff)),
                       static_cast<int>(random.integer(-exponents, exponents)));
  return values;
}

// Sums of 16 dims apart, then halves; a long double holds every product too.
double oracle(const Values& a, const Values& b) {
  std::vector<double> sums(16, 0.0);
  for (std::size_t d = 0; d < a.size(); ++d) {
    const auto product = static_cast<double>(static_cast<long double>(a[d]) * b[d]);
    sums[d % 16] = sums[d % 16] + product;
  }
  while (sums.size() > 1) {
    const std::size_t half = sums.size() / 2;
    for (std::size_t s = 0; s < half; ++s) sums[s] = sums[s] + sums[s + half];
    sums.resize(half);
  }
  return sums[0];
}

void check_all(const Float64DotKernels& kernels) {
  Random random(1);
  for (std::size_t n = 0; n <= 70; ++n)
    for (int exponents : {0, 8, 90}) {
      CAPTURE(n);
      const Values a = random_values(n, exponents, random), b = random_values(n, exponents, random);
      CHECK(kernels.dot(a.data(), b.data(), n) == oracle(a, b));
      CHECK(kernels.dot(a.data(), a.data(), n) == oracle(a, a));
    }
  const Values a = random_values(3075, 8, random), b = random_values(3075, 8, random);
  for (std::size_t begin : {0, 1, 2, 3}) {
    const auto skipped = static_cast<std::ptrdiff_t>(begin);
    CHECK(kernels.dot(a.data() + begin, b.data() + begin, 3072) ==
          oracle({a.begin() + skipped, a.begin() + skipped + 3072},
                 {b.begin() + skipped, b.begin() + skipped + 3072}));
  }
}

// Nothing overflows or vanishes that float64 can hold, and what is no number stays none.
void check_extremes(const Float64DotKernels& kernels) {
  const float largest = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (std::size_t n : {1, 15, 16, 17, 40}) {
    const auto count = static_cast<double>(n);
    for (float value : {largest, least}) {
      const Values same(n, value);
      const double expected = count * static_cast<double>(value) * static_cast<double>(value);
      CHECK(kernels.dot(same.data(), same.data(), n) == doctest::Approx(expected).epsilon(1e-14));
    }
    Values odd(n, 1.0F), ones(n, 1.0F);
    odd[n - 1] = nan;
    CHECK(std::isnan(kernels.dot(odd.data(), ones.data(), n)));
    odd[n - 1] = inf;
    CHECK(std::isinf(kernels.dot(odd.data(), ones.data(), n)));
  }
}

TEST_CASE("float64_dot: the scalar kernel adds in 16 sums and halves them") {
  check_all(reference().float64_dot);
  check_extremes(reference().float64_dot);
}

TEST_CASE("float64_dot: every level, any length, to the bit") {
  for_each_level([](const Kernels& k) { check_all(k.float64_dot); });
}

TEST_CASE("float64_dot: every level, extreme values") {
  for_each_level([](const Kernels& k) { check_extremes(k.float64_dot); });
}

}  // namespace
}  // namespace ff::test
