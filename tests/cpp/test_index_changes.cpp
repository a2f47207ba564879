#include <atomic>
#include <map>
#include <stdexcept>
#include <thread>

#include "core_support.hpp"
#include "index/index.hpp"

namespace ff::test {
namespace {

const Kernels& fastest() { return kernels_for(available_isas().back()); }

using Rows = std::map<std::int64_t, std::vector<float>>;

std::vector<float> one_row(std::size_t dim, Random& random) {
  return real_rows(1, dim, random).values;
}

// What index must hold, against an ordered map: its ids, its rows, and the exact top k.
void check_against(Index& index, const Rows& expected, const Matrix& queries) {
  CHECK(index.size() == expected.size());
  auto ids = index.ids();
  std::sort(ids.begin(), ids.end());
  Matrix base{expected.size(), index.dim(), {}};
  std::vector<std::int64_t> expected_ids;
  for (const auto& [id, row] : expected) {
    expected_ids.push_back(id);
    base.values.insert(base.values.end(), row.begin(), row.end());
  }
  REQUIRE(difference(ids, expected_ids) == "");
  std::vector<float> rows(base.values.size());
  index.get(ids.data(), ids.size(), fastest(), rows.data());
  CHECK(difference(rows, base.values) == "");
  const std::size_t k = 5;
  Answers answers(queries.n_rows, k), by_funnel(queries.n_rows, k);
  index.search_exactly(queries.queries(), {}, {fastest(), 1}, answers.view());
  const Funnel funnel = {{index.dim(), Precision::b1, false, 1000000},
                         {index.dim(), Precision::f32, false, 0}};
  index.search(funnel, queries.queries(), {}, {fastest(), 2}, by_funnel.view());
  std::vector<std::int64_t> truth;
  for (std::size_t q = 0; q < queries.n_rows; ++q) {
    const auto top = best(cosines(base, queries.row(q), base.dim), all_positions(base.n_rows), k);
    for (std::size_t i = 0; i < k; ++i) truth.push_back(i < top.size() ? expected_ids[top[i]] : -1);
  }
  CHECK(difference(answers.ids, truth) == "");
  CHECK(difference(by_funnel.ids, truth) == "");
}

TEST_CASE("index: any order of changes leaves what a map would hold") {
  constexpr std::size_t kDim = 8;
  for (std::uint64_t seed : {1U, 2U, 3U}) {
    Random random(seed);
    const Matrix queries = real_rows(3, kDim, random);
    Index index(kDim);
    Rows expected;
    const std::int64_t last_id = seed == 1 ? 1000 : 40;  // few ids: they come again and again
    std::size_t dead = 0;
    for (int step = 0; step < 300; ++step) {
      const std::int64_t id = random.integer(0, last_id);
      const Matrix row{1, kDim, one_row(kDim, random)};
      switch (random.integer(0, 9)) {
        case 0:
          CHECK(index.compact(fastest(), 1) == dead);
          dead = 0;
          break;
        case 1:
        case 2: {
          const bool there = expected.erase(id) > 0;
          const std::int64_t twice[] = {id, id, -5};
          CHECK(index.remove(twice, 3) == (there ? 1 : 0));
          dead += there ? 1 : 0;
          break;
        }
        case 3:
        case 4: {
          const bool there = expected.contains(id);
          CHECK(index.upsert(row.view(), &id, fastest()) == (there ? 1 : 0));
          expected[id] = row.values;
          dead += there ? 1 : 0;
          break;
        }
        default:
          if (expected.contains(id)) {
            CHECK_THROWS_AS(index.add(row.view(), &id, fastest()), std::invalid_argument);
          } else {
            index.add(row.view(), &id, fastest());
            expected[id] = row.values;
          }
      }
      if (step % 10 == 0) check_against(index, expected, queries);
    }
    check_against(index, expected, queries);
  }
}

TEST_CASE("index: changes over several segments, and what storage reads of them") {
  constexpr std::size_t kDim = 4, kRows = 140000;
  Random random(4);
  const Matrix base = real_rows(kRows, kDim, random), queries = real_rows(2, kDim, random);
  const auto ids = consecutive(kRows, 0);
  std::vector<char> alive(kRows);
  for (std::size_t i = 0; i < kRows; ++i) alive[i] = i % 3 != 0;
  Rows expected;
  for (std::size_t i = 0; i < kRows; ++i)
    if (alive[i]) expected[static_cast<std::int64_t>(i)] = {base.row(i), base.row(i) + kDim};

  Index adopted(kDim);
  adopted.adopt(base.view(), ids.data(), reinterpret_cast<const bool*>(alive.data()));
  check_against(adopted, expected, queries);
  Index removed(kDim);
  removed.add(base.view(), ids.data(), fastest());
  std::vector<std::int64_t> dead;
  for (std::size_t i = 0; i < kRows; i += 3) dead.push_back(static_cast<std::int64_t>(i));
  CHECK(removed.remove(dead.data(), dead.size()) == dead.size());
  check_against(removed, expected, queries);

  CHECK(removed.n_segments() == 3);
  CHECK(adopted.segment(1).alive == removed.segment(1).alive);
  CHECK(difference(adopted.segment(2).ids, removed.segment(2).ids) == "");
  CHECK(removed.segment(0).owns_rows);
  CHECK(!adopted.segment(0).owns_rows);
  CHECK_THROWS_AS(removed.segment(3), std::out_of_range);
  const std::int64_t some[] = {65537, 0, 65536};
  CHECK(difference(removed.locate(some, 3), std::vector<std::int64_t>{65537, -1, 65536}) == "");

  removed.rebase(1, base.view().rows(65536, 65536), nullptr);
  CHECK_THROWS_AS(removed.rebase(1, base.view().rows(0, 5), nullptr), std::invalid_argument);
  CHECK(!removed.segment(1).owns_rows);
  check_against(removed, expected, queries);
  CHECK(removed.compact(fastest(), 2) == dead.size());
  CHECK(removed.n_segments() == 2);
  check_against(removed, expected, queries);
  std::vector<float> two(2 * kDim);
  auto* bytes = reinterpret_cast<std::byte*>(two.data());
  removed.segment_rows(0, 1, 2, fastest(), bytes);
  CHECK(std::equal(two.begin(), two.begin() + kDim, base.row(2)));
  CHECK_THROWS_AS(removed.segment_rows(0, 65535, 2, fastest(), bytes), std::out_of_range);

  removed.seal();
  const std::int64_t next = 200000;
  removed.add(base.view().rows(0, 1), &next, fastest());
  CHECK(removed.n_segments() == 3);
  removed.replace(adopted);
  CHECK(adopted.size() == 0);
  check_against(removed, expected, queries);
}

// Every id of a pair is there or neither is, whatever happens at the same time.
TEST_CASE("index: searches never see half a change") {
  constexpr std::size_t kDim = 8, kPairs = 50;
  Random random(5);
  const Matrix base = real_rows(2 * kPairs, kDim, random), query = real_rows(1, kDim, random);
  Index index(kDim);
  const auto ids = consecutive(2 * kPairs, 0);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t)
    readers.emplace_back([&] {
      Answers answers(1, 2 * kPairs);
      do {
        index.search_exactly(query.queries(), {}, {fastest(), 1}, answers.view());
        std::vector<int> seen(kPairs);
        for (std::int64_t id : answers.ids)
          if (id >= 0) ++seen[static_cast<std::size_t>(id / 2)];
        for (int count : seen)
          if (count == 1) ++torn;
      } while (!done);
    });
  for (int round = 0; round < 5; ++round) {
    for (std::size_t p = 0; p < kPairs; ++p)
      index.add(base.view().rows(2 * p, 2), ids.data() + 2 * p, fastest());
    for (std::size_t p = 0; p < kPairs; ++p)
      index.upsert(base.view().rows(2 * p, 2), ids.data() + 2 * p, fastest());
    for (std::size_t p = 0; p < kPairs; ++p) {
      index.remove(ids.data() + 2 * p, 2);
      if (p % 10 == 0) index.compact(fastest(), 1);
    }
  }
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(index.size() == 0);
}

}  // namespace
}  // namespace ff::test
