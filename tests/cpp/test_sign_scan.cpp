#include <algorithm>
#include <cstdlib>

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

using Weights = std::vector<std::int16_t>;

// Per slice 64 weights of either sign whose magnitudes sum to budget.
Weights random_weights(std::size_t n_slices, int budget, Random& random) {
  Weights weights(n_slices * kSliceDims, 0);
  for (std::size_t s = 0; s < n_slices; ++s)
    for (int i = 0; i < budget; ++i)
      ++weights[s * kSliceDims + static_cast<std::size_t>(random.integer(0, kSliceDims - 1))];
  for (std::int16_t& weight : weights)
    if (random.integer(0, 1) == 0) weight = static_cast<std::int16_t>(-weight);
  return weights;
}

struct Hits {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint16_t> scores;
  std::vector<std::uint32_t> counts;
};

// One scan of all queries; the lists of each begin with one entry that was there before.
Hits scan(const SignScanKernels& kernels, const Plane& plane, const std::vector<Weights>& weights,
          const std::vector<std::uint16_t>& thresholds) {
  std::vector<Aligned<std::uint8_t>> tables;
  for (const Weights& of_query : weights) {
    tables.emplace_back(plane.n_slices * kernels.slice_table_bytes, std::uint8_t{171});
    kernels.make_tables(of_query.data(), plane.n_slices, tables.back().data());
  }
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

// The contract's own words: the magnitudes of the weights whose sign a row's bit agrees with.
int score_of(const Plane& plane, std::size_t row, const Weights& weights) {
  int score = 0;
  for (std::size_t d = 0; d < weights.size(); ++d) {
    const std::uint8_t byte =
        plane.cells[d / 64 * plane.stride + row / 64 * kCellBytes + d % 64 / 8 * 64 + row % 64];
    const bool set = ((byte << (d % 8)) & 0x80) != 0;
    if (set == (weights[d] > 0)) score += std::abs(weights[d]);
  }
  return score;
}

void check(const SignScanKernels& kernels, const Plane& plane, const std::vector<Weights>& weights,
           const std::vector<std::uint16_t>& thresholds) {
  CAPTURE(plane.n_slices);
  CAPTURE(plane.n_blocks);
  CAPTURE(weights.size());
  const Hits expected = scan(reference().sign_scan, plane, weights, thresholds);
  const Hits actual = scan(kernels, plane, weights, thresholds);
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

TEST_CASE("sign_scan: every level scores what the contract says, alive rows over the threshold") {
  for_each_level([](const Kernels& k) {
    Random random(1);
    for (int budget : {1, 64, kMaxCellScore}) {
      Plane plane = random_plane(3, 2, random);
      plane.first_row = 1000;
      plane.alive = {~std::uint64_t{0}, 0x00ff00ff12345678U};
      const Weights weights = random_weights(3, budget, random);
      const auto threshold = static_cast<std::uint16_t>(3 * budget / 2);
      const Hits hits = scan(k.sign_scan, plane, {weights}, {threshold});
      std::vector<std::uint32_t> rows;
      std::vector<std::uint16_t> scores;
      for (std::size_t r = 0; r < 128; ++r) {
        const int score = score_of(plane, r, weights);
        if (score < threshold || !((plane.alive[r / 64] >> (r % 64)) & 1)) continue;
        rows.push_back(static_cast<std::uint32_t>(1000 + r));
        scores.push_back(static_cast<std::uint16_t>(score));
      }
      REQUIRE(hits.counts[0] == rows.size() + 1);
      CHECK(std::equal(rows.begin(), rows.end(), hits.rows.begin() + 1));
      CHECK(std::equal(scores.begin(), scores.end(), hits.scores.begin() + 1));
    }
  });
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
          std::vector<Weights> weights;
          for (std::size_t q = 0; q < n_queries; ++q)
            weights.push_back(random_weights(
                n_slices, static_cast<int>(random.integer(0, kMaxCellScore)), random));
          check(k.sign_scan, plane, weights, random_thresholds(n_queries, n_slices, random));
        }
  });
}

TEST_CASE("sign_scan: counting, where a level does, is a scan with weights of +-1") {
  for (Isa level : tested_levels()) {
    const SignScanKernels& kernels = kernels_for(level).sign_scan;
    if (kernels.count == nullptr) continue;
    Random random(5);
    for (std::size_t n_slices : {1, 4, 16})
      for (std::size_t n_queries : {0, 1, 3, 8, 21}) {
        Plane plane = random_plane(n_slices, 3, random);
        plane.alive = {~std::uint64_t{0}, 0, random.bits()};
        const std::size_t dims = n_slices * kSliceDims - 13, room = 3 * kBlockRows;
        std::vector<Weights> weights(n_queries, Weights(n_slices * kSliceDims, 0));
        std::vector<std::vector<std::uint8_t>> codes(n_queries);
        Hits counted{std::vector<std::uint32_t>(n_queries * (room + 2)),
                     std::vector<std::uint16_t>(n_queries * (room + 2)),
                     {}};
        std::vector<SignQuery> queries;
        const auto thresholds = random_thresholds(n_queries, 0, random);
        for (std::size_t q = 0; q < n_queries; ++q) {
          codes[q].resize(n_slices * 8);
          for (std::size_t d = 0; d < dims; ++d) {
            const bool set = random.integer(0, 1) == 1;
            weights[q][d] = set ? 1 : -1;
            codes[q][d / 8] |= static_cast<std::uint8_t>(set ? 0 : 0x80U >> (d % 8));
          }
          queries.push_back({codes[q].data(), counted.rows.data() + q * (room + 2),
                             counted.scores.data() + q * (room + 2), 1, thresholds[q]});
        }
        // Bits past the dims are never set in a plane, and not in codes.
        for (std::size_t r = 0; r < room; ++r)
          for (std::size_t d = dims; d < n_slices * kSliceDims; ++d)
            plane.cells[d / 64 * plane.stride + r / 64 * kCellBytes + d % 64 / 8 * 64 + r % 64] &=
                static_cast<std::uint8_t>(~(0x80U >> (d % 8)));
        kernels.count(plane.blocks(), queries.data(), n_queries);
        for (const SignQuery& query : queries) counted.counts.push_back(query.count);
        const Hits expected = scan(reference().sign_scan, plane, weights, thresholds);
        CHECK(counted.counts == expected.counts);
        for (std::size_t q = 0; q < n_queries; ++q)
          for (std::size_t i = q * (room + 2) + 1; i < q * (room + 2) + counted.counts[q]; ++i) {
            CHECK(counted.rows[i] == expected.rows[i]);
            CHECK(counted.scores[i] == expected.scores[i]);
          }
      }
  }
}

TEST_CASE("sign_scan: every level, single alive rows") {
  for_each_level([](const Kernels& k) {
    Random random(3);
    Plane plane = random_plane(2, 1, random);
    const Weights weights = random_weights(2, kMaxCellScore, random);
    for (unsigned row = 0; row < 64; ++row) {
      plane.alive = {std::uint64_t{1} << row};
      check(k.sign_scan, plane, {weights}, {0});
    }
  });
}

// 128 cells at 255 and one at 127: scores of exactly 32767 in the rows that agree everywhere.
TEST_CASE("sign_scan: every level, the largest scores") {
  for_each_level([](const Kernels& k) {
    Random random(4);
    const std::size_t n_slices = 129;
    Weights weights = random_weights(n_slices - 1, kMaxCellScore, random);
    const Weights last = random_weights(1, kMaxScanScore - 128 * kMaxCellScore, random);
    weights.insert(weights.end(), last.begin(), last.end());
    Plane plane = random_plane(n_slices, 2, random);
    for (std::size_t d = 0; d < weights.size(); ++d)  // rows 0 to 31 agree
      for (std::size_t r = 0; r < 32; ++r) {
        std::uint8_t& byte = plane.cells[d / 64 * plane.stride + d % 64 / 8 * 64 + r];
        const auto bit = static_cast<std::uint8_t>(0x80U >> (d % 8));
        byte = static_cast<std::uint8_t>(weights[d] > 0 ? byte | bit : byte & ~bit);
      }
    for (std::size_t n_queries : {1, 2, 4, 8, 9})
      for (std::uint16_t threshold : std::vector<std::uint16_t>{0, 1, 32766, 32767})
        check(k.sign_scan, plane, std::vector(n_queries, weights),
              std::vector(n_queries, threshold));
    CHECK(scan(k.sign_scan, plane, {weights}, {32767}).counts[0] == 33);
  });
}

TEST_CASE("sign_scan: every level, one dim with all the weight") {
  for_each_level([](const Kernels& k) {
    Random random(6);
    const Plane plane = random_plane(2, 2, random);
    for (std::size_t d = 0; d < 2 * kSliceDims; ++d)
      for (int weight : {kMaxCellScore, -kMaxCellScore}) {
        Weights weights(2 * kSliceDims, 0);
        weights[d] = static_cast<std::int16_t>(weight);
        check(k.sign_scan, plane, {weights}, {1});
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
        const Weights weights = random_weights(2, budget, random);
        check(k.sign_scan, plane, std::vector(5, weights), {0, 1, 100, 200, 510});
      }
    }
  });
}

}  // namespace
}  // namespace ff::test
