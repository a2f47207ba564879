#include "core_support.hpp"
#include "stages/query_codes.hpp"

namespace ff::test {
namespace {

constexpr std::size_t kWidths[] = {1, 3, 4, 5, 63, 64, 65, 100, 128, 192, 500, 1024, 5000};

Aligned<std::uint8_t> fresh_tables(std::size_t dims) {
  return Aligned<std::uint8_t>((dims + kSliceDims - 1) / kSliceDims * kCellTableBytes, 171);
}

// What a scan adds up for a row with these packed bits.
int scan_score(const Aligned<std::uint8_t>& tables, const std::vector<std::uint8_t>& bits) {
  int score = 0;
  for (std::size_t j = 0; j < bits.size(); ++j)
    score += tables[32 * j + (bits[j] >> 4U)] + tables[32 * j + 16 + (bits[j] & 15U)];
  return score;
}

// Largest entries, summed over each cell and over all.
void check_range(const Aligned<std::uint8_t>& tables) {
  int total = 0;
  for (std::size_t cell = 0; cell < tables.size(); cell += kCellTableBytes) {
    int sum = 0;
    for (std::size_t t = cell; t < cell + kCellTableBytes; t += 16)
      sum += *std::max_element(&tables[t], &tables[t] + 16);
    CHECK(sum <= kMaxCellScore);
    total += sum;
  }
  CHECK(total <= kMaxScanScore);
}

std::vector<std::uint8_t> random_bits(std::size_t dims, Random& random) {
  std::vector<std::uint8_t> bits((dims + kSliceDims - 1) / kSliceDims * 8);
  for (std::size_t d = 0; d < dims; ++d)
    if ((random.bits() & 1) != 0) bits[d / 8] |= static_cast<std::uint8_t>(0x80U >> (d % 8));
  return bits;
}

double sign_at(const std::vector<std::uint8_t>& bits, std::size_t d) {
  return (bits[d / 8] & (0x80U >> (d % 8))) != 0 ? 1 : -1;
}

TEST_CASE("query_codes: the length of a prefix") {
  Random random(1);
  const Matrix query = real_rows(1, 300, random);
  double squares = 0;
  for (std::size_t dims = 0; dims <= 300; ++dims) {
    CHECK(std::fabs(static_cast<double>(prefix_norm(query.row(0), dims)) - std::sqrt(squares)) <=
          1e-7 * std::sqrt(squares));
    if (dims < 300) squares += std::pow(static_cast<double>(query.row(0)[dims]), 2);
  }
}

TEST_CASE("query_codes: a symmetric score is the number of bits that agree") {
  Random random(2);
  for (std::size_t dims : kWidths) {
    CAPTURE(dims);
    const auto code = random_bits(dims, random);
    auto tables = fresh_tables(dims);
    const SignTables meaning = make_symmetric_tables(code.data(), dims, tables.data());
    check_range(tables);
    for (int round = 0; round < 20; ++round) {
      const auto bits = random_bits(dims, random);
      int agree = 0;
      for (std::size_t d = 0; d < dims; ++d) agree += sign_at(bits, d) == sign_at(code, d);
      CHECK(scan_score(tables, bits) == agree);
      const double cosine = 2.0 * agree / static_cast<double>(dims) - 1;
      CHECK(std::fabs(
                static_cast<double>(static_cast<float>(agree) * meaning.scale + meaning.offset) -
                cosine) < 1e-6);
    }
  }
}

// Each table entry is rounded by at most a half.
void check_asymmetric(const float* query, std::size_t dims, Random& random) {
  CAPTURE(dims);
  auto tables = fresh_tables(dims);
  const SignTables meaning = make_asymmetric_tables(query, dims, tables.data());
  check_range(tables);
  double squares = 0;
  for (std::size_t d = 0; d < dims; ++d) squares += std::pow(static_cast<double>(query[d]), 2);
  const double tolerance =
      0.5 * static_cast<double>((dims + 3) / 4) * static_cast<double>(meaning.scale) + 1e-5;
  double worst = 0;
  for (int round = 0; round < 20; ++round) {
    const auto bits = random_bits(dims, random);
    double dot = 0;
    for (std::size_t d = 0; d < dims; ++d) dot += sign_at(bits, d) * static_cast<double>(query[d]);
    const double expected = squares > 0 ? dot / std::sqrt(squares * static_cast<double>(dims)) : 0;
    const double actual = static_cast<double>(meaning.scale) * scan_score(tables, bits) +
                          static_cast<double>(meaning.offset);
    worst = std::max(worst, std::fabs(actual - expected));
  }
  CHECK(worst <= tolerance);
}

TEST_CASE("query_codes: an asymmetric score is the cosine with +-1 rows, but for rounding") {
  Random random(3);
  for (std::size_t dims : kWidths)
    for (float high : {1e-6F, 1.0F, 1e6F})
      for (float low : {-high, 0.0F})
        check_asymmetric(random.reals(dims, low, high).data(), dims, random);
}

TEST_CASE("query_codes: asymmetric tables of queries that are hard to scale") {
  Random random(4);
  for (std::size_t dims : kWidths) {
    std::vector<float> query(dims, 0.0F);
    auto tables = fresh_tables(dims);
    const SignTables zero = make_asymmetric_tables(query.data(), dims, tables.data());
    CHECK(std::all_of(tables.begin(), tables.end(), [](int entry) { return entry == 0; }));
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
