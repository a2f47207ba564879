#include <algorithm>
#include <map>

#include "core_support.hpp"
#include "index/id_map.hpp"

namespace ff::test {
namespace {

std::vector<std::int64_t> shuffled(std::vector<std::int64_t> ids, Random& random) {
  for (std::size_t i = ids.size(); i > 1; --i)
    std::swap(ids[i - 1],
              ids[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i) - 1))]);
  return ids;
}

// A corpus that grows, its map, and what the map should say.
class Rows {
 public:
  Rows() : corpus_(1), map_(corpus_) {}

  void append(const std::vector<std::int64_t>& ids) {
    const std::vector<float> values(ids.size(), 1.0F);
    const Row first = corpus_.next_row();
    corpus_.append(view(values), ids.data(), reference());
    note(first, ids);
  }
  // values must live as long as the corpus does.
  void adopt(const std::vector<float>& values, const std::vector<std::int64_t>& ids) {
    const auto first = static_cast<Row>(corpus_.segments().size() * Segment::kMaxRows);
    corpus_.adopt(view(values), ids.data());
    note(first, ids);
  }
  void check(const std::vector<std::int64_t>& others) const {
    std::string wrong;
    for (const auto& [id, row] : expected_)
      if (map_.find(id) != std::optional<Row>(row) || corpus_.id(row) != id)
        wrong = "id " + std::to_string(id);
    for (std::int64_t id : others)
      if (!expected_.contains(id) && map_.find(id)) wrong = "found " + std::to_string(id);
    CHECK(wrong == "");
    check_each(others);
  }
  // Rows whose ids are there lie elsewhere from now on, and nobody tells the map about the old
  // ones.
  void upsert(const std::vector<std::int64_t>& ids) {
    std::vector<Row> replaced;
    for (std::int64_t id : ids)
      if (const auto row = map_.find(id)) replaced.push_back(*row);
    append(ids);
    for (Row row : replaced) corpus_.remove(row);
  }
  void remove(std::int64_t id) {
    corpus_.remove(expected_.at(id));
    map_.erase(id);
    expected_.erase(id);
  }
  void seal() { corpus_.seal(); }
  std::optional<std::int64_t> duplicate(const std::vector<std::int64_t>& ids) const {
    const auto twice = IdMap::first_repeated(ids.data(), ids.size());
    return twice ? twice : map_.first_taken(ids.data(), ids.size());
  }

 private:
  static MatrixView view(const std::vector<float>& values) {
    return {reinterpret_cast<const std::byte*>(values.data()), Element::f32, values.size(), 1, 4};
  }
  // find_each against what is expected: in order, the other way round, at random, every id twice.
  void check_each(const std::vector<std::int64_t>& others) const {
    Random random(7);
    std::vector<std::int64_t> asked = others;
    for (const auto& [id, row] : expected_) asked.insert(asked.end(), {id, id});
    std::sort(asked.begin(), asked.end());
    const std::vector<std::int64_t> falling(asked.rbegin(), asked.rend());
    for (const auto& ids : {asked, falling, shuffled(asked, random)}) {
      std::vector<std::optional<Row>> rows(ids.size());
      map_.find_each(ids.data(), ids.size(), [&](std::size_t i, Row row) { rows[i] = row; });
      std::size_t n_wrong = 0;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto found = expected_.find(ids[i]);
        n_wrong +=
            rows[i] != (found == expected_.end() ? std::nullopt : std::optional(found->second));
      }
      CHECK(n_wrong == 0);
    }
  }
  void note(Row row, const std::vector<std::int64_t>& ids) {
    map_.extend(row);
    for (std::int64_t id : ids) {
      expected_[id] = row;
      ++row;  // a segment ends where the next begins: row numbers have no gap inside one call
    }
  }

  Corpus corpus_;
  IdMap map_;
  std::map<std::int64_t, Row> expected_;
};

const std::vector<std::int64_t> kAround = {
    INT64_MIN, -1, 0, 1, 9, 10, 11, 500, 65535, 65536, 65537, 70000, 131072, 200000, INT64_MAX};

TEST_CASE("id_map: nothing there") {
  Rows rows;
  rows.check(kAround);
  CHECK(!rows.duplicate({}));
  CHECK(!rows.duplicate({5, 3, 4}));
  CHECK(rows.duplicate({5, 3, 5}) == 5);
  rows.append({});
  rows.check(kAround);
}

TEST_CASE("id_map: increasing ids with gaps, over several segments") {
  Rows rows;
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < 70000; ++i) ids.push_back(10 + 3 * i);
  rows.append(ids);
  rows.append({300000, 300001, INT64_MAX});
  rows.check(kAround);
  rows.check(consecutive(1000, 65536 * 3));
  CHECK(!rows.duplicate({11, 12}));
  CHECK(rows.duplicate({11, 13}) == 13);
  CHECK(rows.duplicate({INT64_MAX}) == INT64_MAX);
  CHECK(rows.duplicate({10}) == 10);
}

TEST_CASE("id_map: ids in any order, at once and in parts") {
  Random random(1);
  Rows rows;
  const auto ids = shuffled(consecutive(70000, -200), random);
  rows.append({ids.begin(), ids.begin() + 5000});
  rows.append({ids.begin() + 5000, ids.end()});
  rows.check(kAround);
  CHECK(!rows.duplicate({100000, 99999}));
  CHECK(rows.duplicate({100000, 7}) == 7);
  CHECK(rows.duplicate({100000, 100001, 100000}) == 100000);
}

TEST_CASE("id_map: increasing at first, one out of order, increasing again") {
  Rows rows;
  rows.append(consecutive(200, 1000));
  rows.append({5});
  rows.check(kAround);
  rows.append(consecutive(200, 2000));
  rows.check(kAround);
  CHECK(rows.duplicate({3000, 5}) == 5);
  CHECK(rows.duplicate({1199}) == 1199);
  CHECK(rows.duplicate({2199}) == 2199);
  CHECK(!rows.duplicate({4, 6, 1200, 2200}));
}

TEST_CASE("id_map: falling by one, in one call and over several") {
  Rows rows;
  rows.append({9, 8});
  rows.check(kAround);
  Rows others;
  for (std::int64_t id : {12, 11, 10, 9}) others.append({id});
  others.check(kAround);
  CHECK(others.duplicate({10}) == 10);
}

TEST_CASE("id_map: a replaced row that the hash table still names is not found") {
  Rows rows;
  rows.append({9, 8, 7});  // falling: in the hash table
  rows.seal();
  rows.upsert({8, 20, 30});  // increasing: found by bisection
  rows.check(kAround);
  rows.upsert({9, 30});  // goes on below the last: all of its segment in the hash table
  rows.check(kAround);
  rows.remove(8);
  rows.remove(30);
  rows.check({8, 30, 21});
  rows.upsert({8, 7});
  rows.check(kAround);
}

TEST_CASE("id_map: adopted rows between appended ones, in order and not") {
  const std::vector<float> many(70000, 1.0F), few(10, 1.0F);
  for (std::int64_t later : {100000, 100}) {
    Rows rows;
    rows.append(consecutive(50, 0));
    rows.adopt(many, consecutive(70000, 1000));
    rows.check(kAround);
    rows.append(consecutive(50, later));
    rows.adopt(few, consecutive(10, later + 50));
    rows.check(kAround);
    CHECK(rows.duplicate({later + 55}) == later + 55);
    CHECK(rows.duplicate({49}) == 49);
    CHECK(!rows.duplicate({50}));
  }
}

}  // namespace
}  // namespace ff::test
