#include "core_support.hpp"
#include "search/hamming_search.hpp"

namespace ff::test {
namespace {

struct Found {
  std::vector<std::int64_t> ids;
  std::vector<std::int32_t> distances;
};

Found oracle(const CodeView& codes, const CodeView& queries, std::size_t k) {
  Found found;
  for (std::size_t q = 0; q < queries.n_rows; ++q) {
    std::vector<std::int32_t> nearness;
    for (std::size_t i = 0; i < codes.n_rows; ++i) {
      nearness.push_back(0);
      for (std::size_t j = 0; j < codes.n_bytes; ++j)
        nearness[i] -= std::popcount(static_cast<unsigned>(codes.row(i)[j] ^ queries.row(q)[j]));
    }
    const auto order = best(nearness, all_positions(codes.n_rows), k);
    for (std::size_t i = 0; i < k; ++i) {
      found.ids.push_back(i < order.size() ? static_cast<std::int64_t>(order[i]) : -1);
      found.distances.push_back(i < order.size() ? -nearness[order[i]] : -1);
    }
  }
  return found;
}

void check(const CodeView& codes, const CodeView& queries, std::size_t k, const Kernels& kernels) {
  CAPTURE(codes.n_rows);
  CAPTURE(codes.n_bytes);
  CAPTURE(queries.n_rows);
  CAPTURE(k);
  const Found expected = oracle(codes, queries, k);
  for (unsigned n_threads : {1U, 2U, 3U}) {
    Found found = {std::vector<std::int64_t>(queries.n_rows * k, -7),
                   std::vector<std::int32_t>(queries.n_rows * k, -7)};
    hamming_search(codes, queries, k, kernels, n_threads, found.ids.data(), found.distances.data());
    CHECK(difference(found.ids, expected.ids) == "");
    CHECK(difference(found.distances, expected.distances) == "");
  }
}

CodeView view(const Aligned<std::uint8_t>& bytes, std::size_t n_rows, std::size_t n_bytes,
              std::size_t gap = 0) {
  return {bytes.data(), n_rows, n_bytes, static_cast<std::ptrdiff_t>(n_bytes + gap)};
}

// 1 and 7 queries go row by row, 8 and 40 by the scan.
constexpr std::size_t kQueries[] = {1, 7, 8, 40};

TEST_CASE("hamming_search: every level, any width and count, more answers than codes") {
  for_all_levels([](const Kernels& kernels) {
    Random random(1);
    for (std::size_t n_bytes : {1, 8, 9, 16, 33})
      for (std::size_t n_rows : {1, 64, 65, 1500}) {
        const auto codes = random.bytes(n_rows * (n_bytes + 3)),
                   queries = random.bytes(40 * n_bytes);
        for (std::size_t n_queries : kQueries)
          for (std::size_t k : {1, 100})
            check(view(codes, n_rows, n_bytes, 3), view(queries, n_queries, n_bytes), k, kernels);
      }
  });
}

TEST_CASE("hamming_search: few different codes, ties everywhere") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    auto codes = random.bytes(9000 * 8);
    for (std::uint8_t& byte : codes) byte &= 1;
    const auto queries = random.bytes(40 * 8);
    for (std::size_t n_queries : kQueries)
      for (std::size_t k : {1, 5000})
        check(view(codes, 9000, 8), view(queries, n_queries, 8), k, kernels);
    std::fill(codes.begin(), codes.end(), std::uint8_t{255});
    for (std::size_t n_queries : kQueries)
      check(view(codes, 9000, 8), view(queries, n_queries, 8), 10, kernels);
  });
}

TEST_CASE("hamming_search: rows back to front, and one row over and over") {
  for_all_levels([](const Kernels& kernels) {
    Random random(3);
    const auto codes = random.bytes(700 * 16), queries = random.bytes(40 * 16);
    for (std::size_t n_queries : kQueries) {
      check({codes.data() + 699 * 16, 700, 16, -16}, view(queries, n_queries, 16), 9, kernels);
      check({codes.data(), 700, 16, 0}, view(queries, n_queries, 16), 9, kernels);
      check(view(codes, 700, 16), {queries.data(), n_queries, 16, 0}, 9, kernels);
    }
  });
}

TEST_CASE("hamming_search: more codes than a segment holds") {
  for_all_levels([](const Kernels& kernels) {
    Random random(4);
    const std::size_t n_rows = Segment::kMaxRows + 2000;
    const auto codes = random.bytes(n_rows * 2), queries = random.bytes(9 * 2);
    for (std::size_t n_queries : {2, 9})
      check(view(codes, n_rows, 2), view(queries, n_queries, 2), 20, kernels);
  });
}

TEST_CASE("hamming_search: codes wider than a scan's scores reach") {
  for_all_levels([](const Kernels& kernels) {
    Random random(5);
    for (std::size_t n_bytes : {4095, 4096, 5000}) {
      auto codes = random.bytes(100 * n_bytes);
      const auto queries = random.bytes(8 * n_bytes);
      std::copy_n(queries.begin(), n_bytes, codes.begin());
      for (std::size_t j = 0; j < n_bytes; ++j)
        codes[n_bytes + j] = static_cast<std::uint8_t>(~queries[j]);
      for (std::size_t n_queries : {1, 8})
        check(view(codes, 100, n_bytes), view(queries, n_queries, n_bytes), 100, kernels);
    }
  });
}

}  // namespace
}  // namespace ff::test
