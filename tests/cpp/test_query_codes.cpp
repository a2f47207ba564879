#include "core_support.hpp"
#include "stages/query_codes.hpp"

namespace ff::test {
namespace {

constexpr std::size_t kWidths[] = {1, 3, 4, 5, 63, 64, 65, 100, 128, 192, 500, 1024, 5000};

using Weights = std::vector<std::int16_t>;

Weights fresh_weights(std::size_t dims) {
  return Weights((dims + kSliceDims - 1) / kSliceDims * kSliceDims, 171);
}

double sign_at(const std::vector<std::uint8_t>& bits, std::size_t d) {
  return (bits[d / 8] & (0x80U >> (d % 8))) != 0 ? 1 : -1;
}

// What a scan adds up for a row with these packed bits.
int scan_score(const Weights& weights, const std::vector<std::uint8_t>& bits) {
  int score = 0;
  for (std::size_t d = 0; d < weights.size(); ++d)
    if ((sign_at(bits, d) > 0) == (weights[d] > 0)) score += std::abs(weights[d]);
  return score;
}

// Magnitudes, summed over each slice and over all; nothing past the last dim.
void check_range(const Weights& weights, std::size_t dims) {
  int total = 0;
  for (std::size_t slice = 0; slice < weights.size(); slice += kSliceDims) {
    int sum = 0;
    for (std::size_t d = slice; d < slice + kSliceDims; ++d) sum += std::abs(weights[d]);
    CHECK(sum <= kMaxCellScore);
    total += sum;
  }
  CHECK(total <= kMaxScanScore);
  CHECK(std::all_of(weights.begin() + static_cast<std::ptrdiff_t>(dims), weights.end(),
                    [](int weight) { return weight == 0; }));
}

std::vector<std::uint8_t> random_bits(std::size_t dims, Random& random) {
  std::vector<std::uint8_t> bits((dims + kSliceDims - 1) / kSliceDims * 8);
  for (std::size_t d = 0; d < dims; ++d)
    if ((random.bits() & 1) != 0) bits[d / 8] |= static_cast<std::uint8_t>(0x80U >> (d % 8));
  return bits;
}

TEST_CASE("query_codes: the length of a prefix") {
  Random random(1);
  const Matrix query = real_rows(1, 300, random);
  double squares = 0;
  for (std::size_t dims = 0; dims <= 300; ++dims) {
    CHECK(std::fabs(static_cast<double>(prefix_norm(query.row(0), dims, reference())) -
                    std::sqrt(squares)) <= 1e-7 * std::sqrt(squares));
    if (dims < 300) squares += std::pow(static_cast<double>(query.row(0)[dims]), 2);
  }
}

TEST_CASE("query_codes: a symmetric score is the number of bits that agree") {
  Random random(2);
  for (std::size_t dims : kWidths) {
    CAPTURE(dims);
    const auto code = random_bits(dims, random);
    Weights weights = fresh_weights(dims);
    symmetric_weights(code.data(), dims, weights.data());
    const SignMeaning meaning = symmetric_meaning(dims);
    check_range(weights, dims);
    for (int round = 0; round < 20; ++round) {
      const auto bits = random_bits(dims, random);
      int agree = 0;
      for (std::size_t d = 0; d < dims; ++d) agree += sign_at(bits, d) == sign_at(code, d);
      CHECK(scan_score(weights, bits) == agree);
      const double cosine = 2.0 * agree / static_cast<double>(dims) - 1;
      CHECK(std::fabs(
                static_cast<double>(static_cast<float>(agree) * meaning.scale + meaning.offset) -
                cosine) < 1e-6);
    }
  }
}

// Each weight is rounded by at most a half.
void check_asymmetric(const float* query, std::size_t dims, Random& random) {
  CAPTURE(dims);
  Weights weights = fresh_weights(dims);
  const SignMeaning meaning = asymmetric_weights(query, dims, reference(), weights.data());
  check_range(weights, dims);
  double squares = 0;
  for (std::size_t d = 0; d < dims; ++d) squares += std::pow(static_cast<double>(query[d]), 2);
  const double tolerance =
      0.5 * static_cast<double>(dims) * static_cast<double>(meaning.scale) / 2 + 1e-5;
  double worst = 0, bias = 0;
  for (int round = 0; round < 20; ++round) {
    const auto bits = random_bits(dims, random);
    double dot = 0;
    for (std::size_t d = 0; d < dims; ++d) dot += sign_at(bits, d) * static_cast<double>(query[d]);
    const double expected = squares > 0 ? dot / std::sqrt(squares * static_cast<double>(dims)) : 0;
    const double actual = static_cast<double>(meaning.scale) * scan_score(weights, bits) +
                          static_cast<double>(meaning.offset);
    worst = std::max(worst, std::fabs(actual - expected));
    bias += (actual - expected) / 20;
  }
  CHECK(worst <= tolerance);
  CHECK(std::fabs(bias) <= 0.05);  // rounding must not shift estimates, however many dims
}

TEST_CASE("query_codes: an asymmetric score is the cosine with +-1 rows, but for rounding") {
  Random random(3);
  for (std::size_t dims : kWidths)
    for (float high : {1e-6F, 1.0F, 1e6F})
      for (float low : {-high, 0.0F})
        check_asymmetric(random.reals(dims, low, high).data(), dims, random);
}

TEST_CASE("query_codes: asymmetric weights of queries that are hard to scale") {
  Random random(4);
  for (std::size_t dims : kWidths) {
    std::vector<float> query(dims, 0.0F);
    Weights weights = fresh_weights(dims);
    const SignMeaning zero = asymmetric_weights(query.data(), dims, reference(), weights.data());
    CHECK(std::all_of(weights.begin(), weights.end(), [](int weight) { return weight == 0; }));
    CHECK(zero.scale == 0);
    CHECK(zero.offset == 0);
    query[dims / 2] = -3;  // one value alone
    check_asymmetric(query.data(), dims, random);
    std::fill(query.begin(), query.end(), 0.25F);  // all alike
    check_asymmetric(query.data(), dims, random);
  }
  // So many dims that the total is the limit, not the cell.
  const std::vector<float> wide(20000, -1.0F);
  check_asymmetric(wide.data(), wide.size(), random);
}

TEST_CASE("query_codes: an int8 query holds the range asked for and zeros beside it") {
  Random random(5);
  for (std::size_t dim : {1, 64, 100, 200, 256})
    for (std::size_t begin : {0, 1, 64, 70})
      for (std::size_t end : {1, 64, 70, 100, 200, 256}) {
        if (begin > end || end > dim) continue;
        CAPTURE(dim);
        CAPTURE(begin);
        CAPTURE(end);
        const Matrix query = real_rows(1, dim, random);
        for_all_levels([&](const Kernels& kernels) {
          for (int limit : {kInt8QueryMax, 127}) {
            const Int8Query coded = make_int8_query(query.row(0), dim, begin, end, limit, kernels);
            CHECK(coded.n_values == (end + 63) / 64 * 64);
            CHECK(reinterpret_cast<std::uintptr_t>(coded.data()) % 64 == 0);
            REQUIRE(coded.values.size() >= (dim + 63) / 64 * 64);
            std::int32_t sum = 0;
            int wrong = 0;
            for (std::size_t d = 0; d < coded.values.size(); ++d) {
              const double integer = coded.data()[d];
              sum += coded.data()[d];
              if (d < begin || d >= end)
                wrong += integer != 0;
              else
                wrong += std::fabs(integer * static_cast<double>(coded.unit) -
                                   static_cast<double>(query.row(0)[d])) >
                             0.5001 * static_cast<double>(coded.unit) ||
                         std::fabs(integer) > limit;
            }
            CHECK(wrong == 0);
            CHECK(sum == coded.sum);
          }
        });
      }
}

TEST_CASE("query_codes: successive ranges of an int8 query add up") {
  Random random(6);
  const Matrix query = real_rows(1, 300, random);
  const auto part = [&](std::size_t begin, std::size_t end) {
    return make_int8_query(query.row(0), 300, begin, end, kInt8QueryMax, reference());
  };
  const Int8Query whole = part(0, 300), first = part(0, 130), second = part(130, 300);
  CHECK(first.unit == whole.unit);
  CHECK(second.unit == whole.unit);
  CHECK(first.sum + second.sum == whole.sum);
  for (std::size_t d = 0; d < 300; ++d)
    CHECK(first.data()[d] + second.data()[d] == whole.data()[d]);
}

}  // namespace
}  // namespace ff::test
