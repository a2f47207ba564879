#include <algorithm>
#include <bit>

#include "support.hpp"

namespace ff::test {
namespace {

struct Plane {
  std::size_t n_slices, n_blocks, stride;
  Aligned<std::uint8_t> cells;
  Aligned<std::uint64_t> alive;  // empty: all
  std::uint32_t first_row = 0;

  SignBlocks blocks() const {
    return {cells.data(), stride, n_slices, n_blocks, alive.empty() ? nullptr : alive.data(),
            first_row};
  }
};

Plane random_plane(std::size_t n_slices, std::size_t n_blocks, Random& random) {
  const std::size_t stride = n_blocks * kCellBytes + 64 * (n_blocks % 3);
  return {n_slices, n_blocks, stride, random.bytes(n_slices * stride), {}, 0};
}

// Per cell 16 tables with largest entries that sum to budget, every table reaching its own.
Aligned<std::uint8_t> random_tables(std::size_t n_slices, int budget, Random& random) {
  Aligned<std::uint8_t> tables;
  for (std::size_t s = 0; s < n_slices; ++s) {
    std::vector<int> largest(16, 0);
    for (int i = 0; i < budget; ++i) ++largest[static_cast<std::size_t>(random.integer(0, 15))];
    for (int top : largest) {
      for (int entry = 0; entry < 16; ++entry)
        tables.push_back(static_cast<std::uint8_t>(random.integer(0, top)));
      tables[tables.size() - 16 + static_cast<std::size_t>(random.integer(0, 15))] =
          static_cast<std::uint8_t>(top);
    }
  }
  return tables;
}

struct Hits {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint16_t> scores;
  std::vector<std::uint32_t> counts;
};

// One scan of all queries; the lists of each begin with one entry that was there before.
Hits scan(const SignScanKernels& kernels, const Plane& plane,
          const std::vector<Aligned<std::uint8_t>>& tables,
          const std::vector<std::uint16_t>& thresholds) {
  const std::size_t room = plane.n_blocks * kBlockRows + 2;
  Hits hits;
  hits.rows.assign(tables.size() * room, 4000000000U);
  hits.scores.assign(tables.size() * room, 65535);
  std::vector<SignQuery> queries;
  for (std::size_t q = 0; q < tables.size(); ++q)
    queries.push_back({tables[q].data(), hits.rows.data() + q * room, hits.scores.data() + q * room,
                       1, thresholds[q]});
  kernels.scan(plane.blocks(), queries.data(), queries.size());
  for (const SignQuery& query : queries) hits.counts.push_back(query.count);
  return hits;
}

void check(const SignScanKernels& kernels, const Plane& plane,
           const std::vector<Aligned<std::uint8_t>>& tables,
           const std::vector<std::uint16_t>& thresholds) {
  CAPTURE(plane.n_slices);
  CAPTURE(plane.n_blocks);
  CAPTURE(tables.size());
  const Hits expected = scan(reference().sign_scan, plane, tables, thresholds);
  const Hits actual = scan(kernels, plane, tables, thresholds);
  CHECK(difference(actual.counts, expected.counts) == "");
  CHECK(difference(actual.rows, expected.rows) == "");
  CHECK(difference(actual.scores, expected.scores) == "");
}

std::vector<std::uint16_t> random_thresholds(std::size_t n, std::size_t n_slices, Random& random) {
  std::vector<std::uint16_t> values;
  for (std::size_t q = 0; q < n; ++q)
    values.push_back(static_cast<std::uint16_t>(
        q % 4 == 3 ? random.integer(0, 1) * 32767
                   : random.integer(0, static_cast<std::int64_t>(n_slices) * 160)));
  return values;
}

TEST_CASE("sign_scan: the scalar kernel scores dims - Hamming distance with agreement tables") {
  Random random(1);
  const std::size_t n_slices = 3, n_rows = 128, n_bytes = n_slices * 8;
  const auto codes = random.bytes(n_rows * n_bytes), query = random.bytes(n_bytes);
  Plane plane = random_plane(n_slices, 2, random);
  plane.first_row = 1000;
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t j = 0; j < n_bytes; ++j)
      plane.cells[j / 8 * plane.stride + r / 64 * kCellBytes + j % 8 * 64 + r % 64] =
          codes[r * n_bytes + j];
  Aligned<std::uint8_t> tables;
  for (std::size_t half = 0; half < 2 * n_bytes; ++half) {
    const unsigned bits = half % 2 == 0 ? query[half / 2] >> 4U : query[half / 2] & 15U;
    for (unsigned entry = 0; entry < 16; ++entry)
      tables.push_back(static_cast<std::uint8_t>(4 - std::popcount(entry ^ bits)));
  }
  plane.alive = {~std::uint64_t{0}, 0x00ff00ff12345678U};
  const Hits hits = scan(reference().sign_scan, plane, {tables}, {96});
  std::vector<std::uint32_t> rows;
  std::vector<std::uint16_t> scores;
  for (std::size_t r = 0; r < n_rows; ++r) {
    int score = static_cast<int>(8 * n_bytes);
    for (std::size_t j = 0; j < n_bytes; ++j)
      score -= std::popcount(static_cast<unsigned>(codes[r * n_bytes + j] ^ query[j]));
    if (score < 96 || !((plane.alive[r / 64] >> (r % 64)) & 1)) continue;
    rows.push_back(static_cast<std::uint32_t>(1000 + r));
    scores.push_back(static_cast<std::uint16_t>(score));
  }
  REQUIRE(hits.counts[0] == rows.size() + 1);
  CHECK(std::equal(rows.begin(), rows.end(), hits.rows.begin() + 1));
  CHECK(std::equal(scores.begin(), scores.end(), hits.scores.begin() + 1));
}

TEST_CASE("sign_scan: every level, any shape, queries 0 to 19, thresholds, alive rows") {
  for_each_level([](const Kernels& k) {
    Random random(2);
    for (std::size_t n_slices : {1, 2, 3, 4, 12})
      for (std::size_t n_blocks : {0, 1, 2, 5})
        for (std::size_t n_queries = 0; n_queries <= 19; ++n_queries) {
          Plane plane = random_plane(n_slices, n_blocks, random);
          plane.first_row = static_cast<std::uint32_t>(random.integer(0, 1 << 30));
          if (n_queries % 3 != 0)
            for (std::size_t b = 0; b < n_blocks; ++b)
              plane.alive.push_back(random.integer(0, 2) == 0 ? 0 : random.bits());
          std::vector<Aligned<std::uint8_t>> tables;
          for (std::size_t q = 0; q < n_queries; ++q)
            tables.push_back(random_tables(
                n_slices, static_cast<int>(random.integer(0, kMaxCellScore)), random));
          check(k.sign_scan, plane, tables, random_thresholds(n_queries, n_slices, random));
        }
  });
}

TEST_CASE("sign_scan: every level, single alive rows") {
  for_each_level([](const Kernels& k) {
    Random random(3);
    Plane plane = random_plane(2, 1, random);
    const auto tables = random_tables(2, kMaxCellScore, random);
    for (unsigned row = 0; row < 64; ++row) {
      plane.alive = {std::uint64_t{1} << row};
      check(k.sign_scan, plane, {tables}, {0});
    }
  });
}

// 128 cells at 255 and one at 127: scores of exactly 32767, in every row or in those whose bits
// select the largest entries.
TEST_CASE("sign_scan: every level, the largest scores") {
  for_each_level([](const Kernels& k) {
    Random random(4);
    const std::size_t n_slices = 129;
    for (bool constant : {true, false}) {
      Aligned<std::uint8_t> tables = random_tables(n_slices - 1, kMaxCellScore, random);
      const auto last = random_tables(1, kMaxScanScore - 128 * kMaxCellScore, random);
      tables.insert(tables.end(), last.begin(), last.end());
      if (constant)
        for (std::size_t t = 0; t < tables.size(); t += 16)
          std::fill_n(tables.begin() + static_cast<std::ptrdiff_t>(t), 16,
                      *std::max_element(tables.begin() + static_cast<std::ptrdiff_t>(t),
                                        tables.begin() + static_cast<std::ptrdiff_t>(t) + 16));
      const Plane plane = random_plane(n_slices, 2, random);
      for (std::size_t n_queries : {1, 2, 4, 8, 9})
        for (std::uint16_t threshold : std::vector<std::uint16_t>{0, 1, 32766, 32767})
          check(k.sign_scan, plane, std::vector(n_queries, tables),
                std::vector(n_queries, threshold));
      if (constant) {
        const Hits hits = scan(k.sign_scan, plane, {tables}, {32767});
        CHECK(hits.counts[0] == 129);
      }
    }
  });
}

TEST_CASE("sign_scan: every level, cells of one byte value") {
  for_each_level([](const Kernels& k) {
    Random random(5);
    for (int byte : {0, 0x0f, 0xf0, 0x80, 255}) {
      Plane plane = random_plane(2, 2, random);
      std::fill(plane.cells.begin(), plane.cells.end(), static_cast<std::uint8_t>(byte));
      for (int budget : {0, 16, kMaxCellScore}) {
        const auto tables = random_tables(2, budget, random);
        check(k.sign_scan, plane, std::vector(5, tables), {0, 1, 100, 200, 510});
      }
    }
  });
}

}  // namespace
}  // namespace ff::test
