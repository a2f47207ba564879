#include <bit>

#include "support.hpp"

namespace ff::test {
namespace {

std::int32_t oracle(const std::uint8_t* a, const std::uint8_t* b, std::size_t n_bytes) {
  int sum = 0;
  for (std::size_t j = 0; j < n_bytes; ++j)
    sum += std::popcount(static_cast<unsigned>(a[j] ^ b[j]));
  return sum;
}

// Distances of one query to all rows, then to gathered ones, against the oracle.
void check(const HammingKernels& kernels, const std::uint8_t* query, const std::uint8_t* codes,
           std::ptrdiff_t stride, std::size_t n_rows, std::size_t n_bytes, Random& random) {
  CAPTURE(n_bytes);
  CAPTURE(n_rows);
  CAPTURE(stride);
  std::vector<std::int32_t> expected(n_rows);
  for (std::size_t r = 0; r < n_rows; ++r)
    expected[r] = oracle(query, codes + static_cast<std::ptrdiff_t>(r) * stride, n_bytes);
  std::vector<std::int32_t> actual(n_rows, -1);
  kernels.distances(query, codes, stride, n_rows, n_bytes, actual.data());
  CHECK(difference(actual, expected) == "");

  if (n_rows == 0) return;
  const auto ids = random.ids(n_rows + 3, n_rows);
  std::vector<std::int32_t> expected_at, actual_at(ids.size(), -1);
  for (std::uint32_t id : ids) expected_at.push_back(expected[id]);
  kernels.distances_at(query, codes, stride, ids.data(), ids.size(), n_bytes, actual_at.data());
  CHECK(difference(actual_at, expected_at) == "");
}

std::vector<std::size_t> widths() {
  std::vector<std::size_t> values;
  for (std::size_t n = 0; n <= 136; ++n) values.push_back(n);
  for (std::size_t n : {191, 192, 193, 255, 256, 320, 511, 512, 1000}) values.push_back(n);
  return values;
}

void check_all(const HammingKernels& kernels) {
  Random random(1);
  for (std::size_t n_bytes : widths())
    for (std::size_t n_rows : {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 21})
      for (std::size_t gap : {0, 5}) {
        const std::size_t stride = n_bytes + gap;
        const std::size_t offset = n_rows % 4;  // codes and query start anywhere
        const std::size_t n = n_rows == 0 ? 0 : (n_rows - 1) * stride + n_bytes;
        const auto codes = random.bytes(offset + n);
        const auto query = random.bytes(offset + n_bytes);
        check(kernels, query.data() + offset, codes.data() + offset,
              static_cast<std::ptrdiff_t>(stride), n_rows, n_bytes, random);
      }
}

void check_extremes(const HammingKernels& kernels) {
  Random random(2);
  // 31 registers of 64 bytes are what 8-bit counts can hold: cross that bound
  for (std::size_t n_bytes : {8, 16, 32, 64, 100, 1984, 1985, 2048, 3968, 4000, 9000}) {
    const Aligned<std::uint8_t> zeros(n_bytes, 0), ones(9 * n_bytes, 255);
    check(kernels, zeros.data(), ones.data(), static_cast<std::ptrdiff_t>(n_bytes), 9, n_bytes,
          random);
    check(kernels, ones.data(), ones.data(), static_cast<std::ptrdiff_t>(n_bytes), 9, n_bytes,
          random);
  }
}

// Rows of a reversed or a broadcast array.
void check_strides(const HammingKernels& kernels) {
  Random random(3);
  for (std::size_t n_bytes : {8, 16, 24, 32, 96}) {
    const auto codes = random.bytes(11 * n_bytes);
    const auto query = random.bytes(n_bytes);
    check(kernels, query.data(), codes.data() + 10 * n_bytes, -static_cast<std::ptrdiff_t>(n_bytes),
          11, n_bytes, random);
    check(kernels, query.data(), codes.data(), 0, 11, n_bytes, random);
  }
}

TEST_CASE("hamming: the scalar kernel counts differing bits") {
  check_all(reference().hamming);
  check_extremes(reference().hamming);
  check_strides(reference().hamming);
}

TEST_CASE("hamming: every level, any width, count and alignment") {
  for_each_level([](const Kernels& k) { check_all(k.hamming); });
}

TEST_CASE("hamming: every level, all bits differing, wide codes") {
  for_each_level([](const Kernels& k) { check_extremes(k.hamming); });
}

TEST_CASE("hamming: every level, negative and zero strides") {
  for_each_level([](const Kernels& k) { check_strides(k.hamming); });
}

}  // namespace
}  // namespace ff::test
