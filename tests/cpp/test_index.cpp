#include <atomic>
#include <stdexcept>
#include <thread>

#include "core_support.hpp"
#include "index/index.hpp"

namespace ff::test {
namespace {

const Funnel kFunnel = {{16, Precision::b1, false, 3000},
                        {16, Precision::i8, false, 500},
                        {16, Precision::f32, false, 0}};

const Kernels& fastest() { return kernels_for(available_isas().back()); }

Answers search(Index& index, const Matrix& queries, std::size_t k, unsigned n_threads) {
  Answers answers(queries.n_rows, k);
  index.search(kFunnel, queries.queries(), {}, {fastest(), n_threads}, answers.view());
  return answers;
}

Answers search_exactly(Index& index, const Matrix& queries, std::size_t k, unsigned n_threads) {
  Answers answers(queries.n_rows, k);
  index.search_exactly(queries.queries(), {}, {fastest(), n_threads}, answers.view());
  return answers;
}

// The ids of the true top k; ids are positions + first_id.
std::vector<std::int64_t> oracle(const Matrix& base, const Matrix& queries, std::size_t k,
                                 std::int64_t first_id) {
  std::vector<std::int64_t> ids;
  for (std::size_t q = 0; q < queries.n_rows; ++q)
    for (std::size_t i :
         best(cosines(base, queries.row(q), base.dim), all_positions(base.n_rows), k))
      ids.push_back(static_cast<std::int64_t>(i) + first_id);
  return ids;
}

std::string message_of_add(Index& index, const Matrix& rows, const std::vector<std::int64_t>& ids) {
  try {
    index.add(rows.view(), ids.data(), reference());
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("index: rows come back, and searches follow what is added") {
  Random random(1);
  const Matrix base = real_rows(2600, 16, random), queries = real_rows(4, 16, random);
  const auto ids = consecutive(2600, 100);
  Index index(16);
  CHECK(index.size() == 0);
  CHECK(index.ids().empty());
  std::size_t done = 0;
  for (std::size_t count : {1, 700, 1899}) {
    index.add(base.view().rows(done, count), ids.data() + done, fastest());
    done += count;
    const Matrix so_far{done, 16, {base.row(0), base.row(done)}};
    for (unsigned n_threads : {1U, 2U, 3U}) {
      const std::size_t k = std::min<std::size_t>(done, 10);
      const auto expected = oracle(so_far, queries, k, 100);
      CHECK(difference(search_exactly(index, queries, k, n_threads).ids, expected) == "");
      CHECK(difference(search(index, queries, k, n_threads).ids, expected) == "");
    }
  }
  CHECK(index.size() == 2600);
  CHECK(difference(index.ids(), ids) == "");
  CHECK(index.contains(100));
  CHECK(!index.contains(99));
  CHECK(!index.contains(2700));
  CHECK(index.sizes().float_bytes >= 2600 * 64);
  CHECK(index.sizes().plane_bytes >= 2600 * (16 + 64));
  std::vector<float> rows(3 * 16);
  const std::int64_t wanted[] = {2699, 100, 1500};
  index.get(wanted, 3, reference(), rows.data());
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(std::equal(rows.begin() + static_cast<std::ptrdiff_t>(i * 16),
                     rows.begin() + static_cast<std::ptrdiff_t>(i * 16 + 16),
                     base.row(static_cast<std::size_t>(wanted[i] - 100))));
  const std::int64_t missing[] = {100, 5};
  CHECK_THROWS_WITH_AS(index.get(missing, 2, reference(), rows.data()), "id 5 is not in the index",
                       std::out_of_range);
}

TEST_CASE("index: what cannot be added changes nothing") {
  Random random(2);
  Index index(4);
  const Matrix rows = real_rows(3, 4, random);
  index.add(rows.view(), consecutive(3, 7).data(), reference());
  CHECK(message_of_add(index, rows, {20, 8, 21}).find("got 8 ") != std::string::npos);
  CHECK(message_of_add(index, rows, {20, 21, 20}).find("got 20 ") != std::string::npos);
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    Matrix broken = rows;
    broken.values[2 * 4 + 3] = bad;
    CHECK(message_of_add(index, broken, {20, 21, 22}) ==
          "vectors must be finite, got nan or inf in row 2");
  }
  CHECK_THROWS_AS(index.adopt(rows.view(), consecutive(3, 9).data()), std::invalid_argument);
  CHECK(difference(index.ids(), consecutive(3, 7)) == "");
  CHECK(message_of_add(index, rows, {20, 22, 21}) == "");
  CHECK(index.size() == 6);
}

TEST_CASE("index: adopted rows are searched like added ones, and with them") {
  Random random(3);
  const Matrix base = real_rows(3000, 16, random), queries = real_rows(4, 16, random);
  const auto ids = consecutive(3000, 0), expected = oracle(base, queries, 10, 0);
  Index index(16);
  index.adopt(base.view().rows(0, 2000), ids.data());
  search(index, queries, 10, 2);
  index.add(base.view().rows(2000, 1000), ids.data() + 2000, reference());
  CHECK(difference(search(index, queries, 10, 2).ids, expected) == "");
  CHECK(difference(search_exactly(index, queries, 10, 2).ids, expected) == "");
  std::vector<float> row(16);
  index.get(&ids[1999], 1, reference(), row.data());
  CHECK(std::equal(row.begin(), row.end(), base.row(1999)));
}

TEST_CASE("index: adopted values that are not finite fail every search, not only the first") {
  Random random(4);
  Matrix base = real_rows(3000, 16, random);
  base.values[1234 * 16 + 15] = NAN;
  const Matrix queries = real_rows(2, 16, random);
  Index index(16);
  index.adopt(base.view(), consecutive(3000, 0).data());
  const Funnel signs = {{8, Precision::b1, false, 500}, {16, Precision::f32, false, 0}};
  for (int round = 0; round < 2; ++round) {
    Answers answers(2, 10);
    CHECK_THROWS_AS(index.search(signs, queries.queries(), {}, {reference(), 2}, answers.view()),
                    std::invalid_argument);
    CHECK_THROWS_AS(search(index, queries, 10, 2), std::invalid_argument);
    CHECK_THROWS_AS(search_exactly(index, queries, 10, 2), std::invalid_argument);
  }
}

// Rows 0 to 999 are there from the start, and each is its own best answer whatever comes later.
TEST_CASE("index: adds and searches from several threads at once") {
  constexpr std::size_t kWriters = 2, kReaders = 3, kStart = 1000, kBatch = 50, kBatches = 20;
  Random random(5);
  const std::size_t total = kStart + kWriters * kBatches * kBatch;
  const Matrix base = real_rows(total, 16, random);
  const auto ids = consecutive(total, 0);
  Index index(16);
  index.add(base.view().rows(0, kStart), ids.data(), reference());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < kWriters; ++w)
    threads.emplace_back([&, w] {
      for (std::size_t b = 0; b < kBatches; ++b) {
        const std::size_t first = kStart + (b * kWriters + w) * kBatch;
        index.add(base.view().rows(first, kBatch), ids.data() + first, fastest());
        wrong += !index.contains(static_cast<std::int64_t>(first));
        float row[16];
        index.get(&ids[first + kBatch - 1], 1, reference(), row);
        wrong += !std::equal(row, row + 16, base.row(first + kBatch - 1));
      }
    });
  for (std::size_t t = 0; t < kReaders; ++t)
    threads.emplace_back([&, t] {
      std::size_t last_size = kStart;
      for (std::size_t i = 0; i < 30; ++i) {
        const std::size_t asked = (t * 307 + i * 31) % kStart;
        const Matrix query{1, 16, {base.row(asked), base.row(asked) + 16}};
        const auto found =
            i % 3 == 0 ? search_exactly(index, query, 5, 2) : search(index, query, 5, 2);
        wrong += found.ids[0] != static_cast<std::int64_t>(asked);
        const std::size_t size = index.size();
        wrong += size < last_size || size % kBatch != 0 || index.ids().size() < size;
        wrong += index.sizes().float_bytes < size * 64;
        last_size = size;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);

  auto stored = index.ids();
  std::sort(stored.begin(), stored.end());
  CHECK(difference(stored, ids) == "");
  const Matrix queries = real_rows(5, 16, random);
  CHECK(difference(search_exactly(index, queries, 10, 2).ids, oracle(base, queries, 10, 0)) == "");
  CHECK(difference(search(index, queries, 10, 2).ids, oracle(base, queries, 10, 0)) == "");
}

TEST_CASE("index: of threads that add the same ids one wins") {
  Random random(6);
  const Matrix rows = real_rows(40, 16, random);
  Index index(16);
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::int64_t i = 0; i < 20; ++i) try {
          index.add(rows.view(), consecutive(40, i * 40).data(), reference());
        } catch (const std::invalid_argument&) {
          ++refused;
        }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 60);
  CHECK(difference(index.ids(), consecutive(800, 0)) == "");
}

}  // namespace
}  // namespace ff::test
