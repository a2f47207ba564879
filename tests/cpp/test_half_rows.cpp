#include <cmath>
#include <cstring>
#include <limits>

#include "support.hpp"

namespace ff::test {
namespace {

using Halves = Aligned<std::uint16_t>;

// A kind of half: how it is widened, narrowed and rescored.
struct Kind {
  const char* name;
  int digits;    // of the significand
  int smallest;  // exponent of the smallest number
  int largest;   // exponent of the first that is too large
};
constexpr Kind kF16 = {"f16", 11, -24, 16};
constexpr Kind kBf16 = {"bf16", 8, -133, 128};

HalfRescore* rescore_of(const Kernels& k, const Kind& kind) {
  return kind.digits == 11 ? k.half_rows.rescore_f16 : k.half_rows.rescore_bf16;
}

void widen(const Kernels& k, const Kind& kind, const Halves& in, std::vector<float>& out) {
  out.assign(in.size(), -1);
  (kind.digits == 11 ? k.encode.widen_f16 : k.half_rows.widen_bf16)(in.data(), in.size(),
                                                                    out.data());
}

Halves narrow(const Kernels& k, const Kind& kind, const Aligned<float>& in) {
  Halves out(in.size());
  (kind.digits == 11 ? k.half_rows.narrow_f16 : k.half_rows.narrow_bf16)(in.data(), in.size(),
                                                                         out.data());
  return out;
}

Halves all_halves() {
  Halves all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  return all;
}

// The nearest number of a kind, by arithmetic in double, which is exact here.
double nearest(const Kind& kind, double value) {
  if (value == 0) return value;
  int exponent = 0;
  (void)std::frexp(value, &exponent);
  const int step = std::max(exponent - kind.digits, kind.smallest);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -step)), step);
  const double limit = std::ldexp(1.0, kind.largest);
  return std::fabs(rounded) >= limit ? std::copysign(std::numeric_limits<double>::infinity(), value)
                                     : rounded;
}

// Numbers of every size, and those halfway between two halves.
Aligned<float> hard_values(const Kind& kind, Random& random) {
  Aligned<float> values;
  for (int i = 0; i < 40000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random.bits());
    float value = 0;
    std::memcpy(&value, &bits, 4);
    if (std::isfinite(value)) values.push_back(value);
  }
  for (int exponent = kind.smallest - 3; exponent <= kind.largest; ++exponent)
    for (int i = 0; i < 20; ++i) {
      const double whole = static_cast<double>(random.integer(1 << 12, 1 << 13));
      values.push_back(static_cast<float>(std::ldexp(whole, exponent - 13)));  // many are halfway
      values.push_back(-values.back());
    }
  values.push_back(0.0F);
  values.push_back(-0.0F);
  return values;
}

void check_narrow(const Kernels& kernels, const Kind& kind) {
  CAPTURE(kind.name);
  Random random(1);
  const Aligned<float> values = hard_values(kind, random);
  std::vector<float> back;
  widen(kernels, kind, narrow(kernels, kind, values), back);
  int wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = nearest(kind, double{values[i]});
    wrong += double{back[i]} != expected || std::signbit(back[i]) != std::signbit(values[i]);
  }
  CHECK(wrong == 0);
  for (std::size_t n = 0; n <= 40; ++n) {  // tails
    const Aligned<float> some(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
    CHECK(difference(narrow(kernels, kind, some), narrow(reference(), kind, some)) == "");
  }
}

// Every half there is comes back from float32 as it was; nan stays nan.
void check_round_trip(const Kernels& kernels, const Kind& kind) {
  CAPTURE(kind.name);
  const Halves all = all_halves();
  std::vector<float> wide, expected;
  widen(kernels, kind, all, wide);
  widen(reference(), kind, all, expected);
  int differ = 0;  // processors quieten a signalling nan
  for (std::size_t i = 0; i < all.size(); ++i)
    differ += std::isnan(expected[i]) ? !std::isnan(wide[i])
                                      : std::memcmp(&wide[i], &expected[i], sizeof(float)) != 0;
  CHECK(differ == 0);
  const Halves back = narrow(kernels, kind, Aligned<float>(wide.begin(), wide.end()));
  int wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    wrong += std::isnan(wide[i]) ? back[i] != narrow(reference(), kind, {wide[i]})[0]
                                 : back[i] != all[i];
  CHECK(wrong == 0);
}

// Small integers are exact in both kinds and in every order of adding.
void check_whole_numbers(const Kernels& kernels, const Kind& kind) {
  CAPTURE(kind.name);
  Random random(2);
  for (std::size_t dims = 1; dims <= 70; ++dims) {
    CAPTURE(dims);
    const std::size_t stride = dims + dims % 3, n_rows = 13;
    Aligned<float> values(n_rows * stride), query(dims);
    for (float& value : values) value = static_cast<float>(random.integer(-20, 20));
    for (float& value : query) value = static_cast<float>(random.integer(-20, 20));
    const Halves rows = narrow(reference(), kind, values);
    for (std::size_t n : {0, 1, 2, 3, 4, 5, 8, 11})
      for (const auto& [begin, end] : {std::pair{std::size_t{0}, dims},
                                       {dims / 3, dims / 2},
                                       {dims / 2, dims},
                                       {dims, dims}}) {
        const auto ids = random.ids(n, n_rows);
        std::vector<float> dots(n, 3), squares(n, 5), expected_dots(n, 3), expected_squares(n, 5);
        for (std::size_t i = 0; i < n; ++i)
          for (std::size_t d = begin; d < end; ++d) {
            const float value = values[ids[i] * stride + d];
            expected_dots[i] += query[d] * value;
            expected_squares[i] += value * value;
          }
        rescore_of(kernels, kind)(query.data(), rows.data(),
                                  static_cast<std::ptrdiff_t>(2 * stride), ids.data(), n, begin,
                                  end, dots.data(), squares.data());
        CHECK(difference(dots, expected_dots) == "");
        CHECK(difference(squares, expected_squares) == "");
      }
  }
}

// Rounding bounds as in test_inner_product.cpp, and equal rows score equally.
void check_rounding_and_ties(const Kernels& kernels, const Kind& kind) {
  CAPTURE(kind.name);
  Random random(3);
  for (std::size_t dims : {1, 5, 64, 100, 768, 3072}) {
    CAPTURE(dims);
    const auto query = random.reals(dims, -1, 1);
    const Halves row = narrow(reference(), kind, random.reals(dims, -1, 1));
    Halves rows;
    for (int r = 0; r < 7; ++r) rows.insert(rows.end(), row.begin(), row.end());
    std::vector<float> wide, dots(7), squares(7);
    widen(reference(), kind, row, wide);
    const std::vector<std::uint32_t> ids = {6, 1, 2, 3, 4, 5, 0};
    rescore_of(kernels, kind)(query.data(), rows.data(), static_cast<std::ptrdiff_t>(2 * dims),
                              ids.data(), 7, 0, dims, dots.data(), squares.data());
    double exact = 0, magnitude = 0, square = 0;
    for (std::size_t d = 0; d < dims; ++d) {
      const double product = double{query[d]} * double{wide[d]};
      exact += product;
      magnitude += std::fabs(product);
      square += double{wide[d]} * double{wide[d]};
    }
    const double unit =
        static_cast<double>(dims + 1) * double{std::numeric_limits<float>::epsilon()};
    CHECK(std::fabs(double{dots[0]} - exact) <= unit * magnitude);
    CHECK(std::fabs(double{squares[0]} - square) <= unit * square);
    CHECK(difference(dots, std::vector<float>(7, dots[0])) == "");
    CHECK(difference(squares, std::vector<float>(7, squares[0])) == "");
  }
}

void check_all(const Kernels& kernels, const Kind& kind) {
  check_narrow(kernels, kind);
  check_round_trip(kernels, kind);
  check_whole_numbers(kernels, kind);
  check_rounding_and_ties(kernels, kind);
}

TEST_CASE("half_rows: the scalar kernels round and sum") {
  check_all(reference(), kF16);
  check_all(reference(), kBf16);
}

TEST_CASE("half_rows: every level, float16") {
  for_each_level([](const Kernels& k) { check_all(k, kF16); });
}

TEST_CASE("half_rows: every level, bfloat16") {
  for_each_level([](const Kernels& k) { check_all(k, kBf16); });
}

}  // namespace
}  // namespace ff::test
