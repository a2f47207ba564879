#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support.hpp"

namespace ff::test {
namespace {

constexpr std::uint8_t kGuard = 0xa5;

Aligned<std::uint8_t> signs_of(const EncodeKernels& kernels, const float* row, std::size_t dim) {
  Aligned<std::uint8_t> out((dim + 7) / 8 + 1, kGuard);
  kernels.signs(row, dim, out.data());
  return out;
}

Aligned<std::uint8_t> int8_of(const EncodeKernels& kernels, const float* row, std::size_t dim,
                              float& scale) {
  Aligned<std::uint8_t> out(dim + 1, kGuard);
  scale = kernels.int8(row, dim, kInt8RowMax, out.data());
  return out;
}

void check_signs(const EncodeKernels& kernels, const Aligned<float>& row, std::size_t offset = 0) {
  const std::size_t dim = row.size() - offset;
  CAPTURE(dim);
  Aligned<std::uint8_t> expected((dim + 7) / 8 + 1, 0);
  expected.back() = kGuard;
  for (std::size_t d = 0; d < dim; ++d)
    if (row[offset + d] > 0)
      expected[d / 8] = static_cast<std::uint8_t>(expected[d / 8] | (1U << (7 - d % 8)));
  CHECK(difference(signs_of(kernels, row.data() + offset, dim), expected) == "");
}

void check_all_signs(const EncodeKernels& kernels) {
  Random random(1);
  for (std::size_t dim = 0; dim <= 140; ++dim) {
    check_signs(kernels, random.reals(dim, -1, 1));
    check_signs(kernels, random.reals(dim + 1, -1, 1), 1);
  }
  check_signs(kernels, Aligned<float>(96, 1.0F));
  check_signs(kernels, Aligned<float>(96, -1.0F));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const float special[] = {0.0F, -0.0F, kTiny, -kTiny, kInfinity, -kInfinity, std::nanf("")};
  for (std::size_t shift = 0; shift < 7; ++shift) {
    Aligned<float> row(75);
    for (std::size_t d = 0; d < row.size(); ++d) row[d] = special[(d + shift) % 7];
    check_signs(kernels, row);
  }
}

void check_int8(const EncodeKernels& kernels, const Aligned<float>& row) {
  CAPTURE(row.size());
  float scale = 0, expected_scale = 0;
  const auto expected = int8_of(reference().encode, row.data(), row.size(), expected_scale);
  const auto actual = int8_of(kernels, row.data(), row.size(), scale);
  CHECK(scale == expected_scale);
  CHECK(difference(actual, expected) == "");
}

Aligned<float> halves() {  // at scale 1, values halfway between codes
  Aligned<float> row = {127.0F};
  for (int k = -127; k < 127; ++k) row.push_back(static_cast<float>(k) + 0.5F);
  return row;
}

void check_all_int8(const EncodeKernels& kernels) {
  Random random(2);
  for (std::size_t dim = 0; dim <= 140; ++dim) {
    check_int8(kernels, random.reals(dim, -1, 1));
    check_int8(kernels, random.reals(dim, -1e-20F, 1e-20F));
    check_int8(kernels, random.reals(dim, -1.5e38F, 1.5e38F));
    check_int8(kernels, Aligned<float>(dim, -2.5F));
    check_int8(kernels, Aligned<float>(dim, std::numeric_limits<float>::max()));
    check_int8(kernels, Aligned<float>(dim, 0.0F));
    check_int8(kernels, Aligned<float>(dim, kInt8Smallest / 2));
    check_int8(kernels, Aligned<float>(dim, -kInt8Smallest));
    check_int8(kernels, Aligned<float>(dim, std::numeric_limits<float>::denorm_min()));
  }
  check_int8(kernels, halves());
  for (std::size_t at : {0, 31, 32, 63, 69}) {  // the largest value in the body and in the tail
    auto row = random.reals(70, -1, 1);
    row[at] = -7;
    check_int8(kernels, row);
  }
}

void check_widen(const EncodeKernels& kernels) {
  std::vector<std::uint16_t> in(65536);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint16_t>(i);
  std::vector<float> out(in.size()), expected(in.size());
  reference().encode.widen_f16(in.data(), in.size(), expected.data());
  kernels.widen_f16(in.data(), in.size(), out.data());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool both_nan = std::isnan(out[i]) && std::isnan(expected[i]);  // payloads may differ
    if (!both_nan && std::memcmp(&out[i], &expected[i], 4) != 0) ++wrong;
  }
  CHECK(wrong == 0);
  for (std::size_t n = 0; n <= 40; ++n) {
    CAPTURE(n);
    std::vector<float> some(n + 1, -1.0F),
        first(expected.begin() + 15000, expected.begin() + 15000 + n);
    first.push_back(-1.0F);
    kernels.widen_f16(in.data() + 15000, n, some.data());
    CHECK(difference(some, first) == "");
  }
}

TEST_CASE("encode: the scalar signs are numpy.packbits of row > 0") {
  check_all_signs(reference().encode);
}

TEST_CASE("encode: the scalar int8 codes are rounded multiples of the scale") {
  Random random(3);
  const auto row = random.reals(100, -1, 1);
  float largest = 0, scale = 0;
  for (float value : row) largest = std::max(largest, std::fabs(value));
  const auto codes = int8_of(reference().encode, row.data(), row.size(), scale);
  CHECK(scale == largest / 127.0F);
  CHECK(codes.back() == kGuard);
  for (std::size_t d = 0; d < row.size(); ++d)
    CHECK(std::fabs((codes[d] - 128) * scale - row[d]) <= 0.5001F * scale);

  const auto rounded = int8_of(reference().encode, halves().data(), halves().size(), scale);
  CHECK(scale == 1.0F);
  for (std::size_t d = 1; d < halves().size(); ++d) CHECK(rounded[d] % 2 == 0);  // to even

  const Aligned<float> zeros(5, 0.0F);
  const auto none = int8_of(reference().encode, zeros.data(), zeros.size(), scale);
  CHECK(scale == 0.0F);
  CHECK(std::count(none.begin(), none.end() - 1, std::uint8_t{128}) == 5);
}

TEST_CASE("encode: the scalar widening keeps every float16 value") {
  const std::uint16_t in[] = {0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff,
                              0x0400, 0x03ff, 0x0001, 0x7c00};
  const float expected[] = {0.0F,         -0.0F,         1.0F,
                            -2.0F,        65504.0F,      0x1p-14F,
                            0x1.ff8p-15F, 5.9604645e-8F, std::numeric_limits<float>::infinity()};
  float out[9];
  reference().encode.widen_f16(in, 9, out);
  CHECK(std::memcmp(out, expected, sizeof out) == 0);
  const std::uint16_t nan = 0x7e00;
  reference().encode.widen_f16(&nan, 1, out);
  CHECK(std::isnan(out[0]));
}

TEST_CASE("encode: every level, signs") {
  for_each_level([](const Kernels& k) { check_all_signs(k.encode); });
}

TEST_CASE("encode: every level, int8 equals the scalar codes") {
  for_each_level([](const Kernels& k) { check_all_int8(k.encode); });
}

TEST_CASE("encode: every level, all float16 values") {
  for_each_level([](const Kernels& k) { check_widen(k.encode); });
}

}  // namespace
}  // namespace ff::test
