#include <tuple>

#include "core_support.hpp"
#include "stages/rescore.hpp"
#include "stages/sample.hpp"
#include "stages/scan.hpp"

namespace ff::test {
namespace {

const std::vector<Stage> kPrecisions = {{40, Precision::f32, false, 0},
                                        {40, Precision::i8, false, 0},
                                        {40, Precision::b1, false, 0},
                                        {40, Precision::b1, true, 0}};

Corpus with_planes(const Matrix& base, const Stage& stage, const Kernels& kernels) {
  Corpus corpus = Corpus::borrow(base.view());
  corpus.require(plane_needs({stage}), kernels, 1, "rows");
  return corpus;
}

// What the stage should see of a row, and how far rounding may take it.
double true_score(const Stage& stage, const float* row, const float* query) {
  std::vector<float> a(row, row + stage.dims), b(query, query + stage.dims);
  if (stage.precision == Precision::b1)
    for (float& value : a) value = value > 0 ? 1.0F : -1.0F;
  if (stage.symmetric)
    for (float& value : b) value = value > 0 ? 1.0F : -1.0F;
  return cosine(a.data(), b.data(), stage.dims);
}

double tolerance(const Stage& stage) {
  if (stage.precision == Precision::i8) return 0.02;
  return stage.precision == Precision::b1 && !stage.symmetric ? 0.03 : 2e-6;
}

// The scores of all rows: a scan that keeps every one.
std::vector<std::vector<float>> all_scores(const Corpus& corpus, const Stage& stage,
                                           const Queries& queries, const Kernels& kernels) {
  const ScanRequest request = {corpus, nullptr, stage, corpus.n_rows(), false, kernels};
  std::vector<std::vector<float>> scores;
  for (Shortlist& list : scan(request, queries, split_blocks(corpus, 1)[0])) {
    REQUIRE(list.size() == corpus.n_rows());
    scores.push_back(std::move(list.scores));
  }
  return scores;
}

// Rows of a single segment and their scores against the best of all scores.
void check_list(const Shortlist& list, const std::vector<float>& scores,
                const std::vector<std::size_t>& among, std::size_t keep, bool keep_ties) {
  auto order = best(scores, among, among.size());
  std::size_t count = std::min(keep, order.size());
  while (keep_ties && count > 0 && count < order.size() &&
         scores[order[count]] == scores[order[count - 1]])
    ++count;
  order.resize(count);
  std::sort(order.begin(), order.end());
  std::vector<float> expected;
  for (std::size_t i : order) expected.push_back(scores[i]);
  CHECK(difference(list.rows, order) == "");
  CHECK(difference(list.scores, expected) == "");
}

TEST_CASE("scan: every level and precision scores rows as the stage says") {
  Random random(1);
  const Matrix base = real_rows(700, 50, random), queries = real_rows(5, 50, random);
  for_all_levels([&](const Kernels& kernels) {
    for (const Stage& stage : kPrecisions) {
      CAPTURE(static_cast<int>(stage.precision));
      const Corpus corpus = with_planes(base, stage, kernels);
      const auto scores = all_scores(corpus, stage, queries.queries(), kernels);
      double worst = 0;
      for (std::size_t q = 0; q < 5; ++q)
        for (std::size_t i = 0; i < 700; ++i)
          worst = std::max(worst, std::fabs(static_cast<double>(scores[q][i]) -
                                            true_score(stage, base.row(i), queries.row(q))));
      CHECK(worst < tolerance(stage));
    }
  });
}

void check_keeps(const Matrix& base, const Matrix& queries, const Kernels& kernels) {
  for (const Stage& stage : kPrecisions) {
    CAPTURE(static_cast<int>(stage.precision));
    CAPTURE(stage.symmetric);
    const Corpus corpus = with_planes(base, stage, kernels);
    const auto scores = all_scores(corpus, stage, queries.queries(), kernels);
    const Filter third = make_filter(corpus, [](std::size_t i) { return i % 3 == 0; });
    const Filter few = make_filter(corpus, [](std::size_t i) { return i / 64 == 3 && i % 2 == 1; });
    const Filter none = make_filter(corpus, [](std::size_t) { return false; });
    const Filter all = {RowFilter(corpus), all_positions(base.n_rows)};
    for (const Filter* filter : {&all, &third, &few, &none})
      for (std::size_t keep : {1, 300})
        for (bool keep_ties : {false, true}) {
          CAPTURE(filter->positions.size());
          CAPTURE(keep);
          CAPTURE(keep_ties);
          const RowMask* mask = filter == &all ? nullptr : &filter->filter.mask();
          const ScanRequest request = {corpus, mask, stage, keep, keep_ties, kernels};
          for (std::size_t n_parts : {1, 2, 3}) {
            const auto parts = split_blocks(corpus, n_parts);
            std::vector<Shortlist> lists(queries.n_rows);
            for (const auto& part : parts) {
              const auto partial = scan(request, queries.queries(), part);
              for (std::size_t q = 0; q < lists.size(); ++q) {
                const auto& [rows, values] = std::tie(partial[q].rows, partial[q].scores);
                lists[q].rows.insert(lists[q].rows.end(), rows.begin(), rows.end());
                lists[q].scores.insert(lists[q].scores.end(), values.begin(), values.end());
              }
            }
            for (std::size_t q = 0; q < lists.size(); ++q) {
              shorten(lists[q], keep, keep_ties);
              check_list(lists[q], scores[q], filter->positions, keep, keep_ties);
            }
          }
          for (std::size_t q = 0; q < queries.n_rows; ++q)  // one at a time
            check_list(scan(request, queries.queries().slice(q, 1), split_blocks(corpus, 1)[0])[0],
                       scores[q], filter->positions, keep, keep_ties);
        }
  }
}

TEST_CASE("scan: the top rows, however blocks and queries are split, filtered, with ties") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    check_keeps(real_rows(4500, 40, random), real_rows(3, 40, random), kernels);
    check_keeps(sign_rows(4500, 40, random), sign_rows(3, 40, random), kernels);
  });
}

TEST_CASE("scan: equal rows, more than any list holds at first") {
  Random random(3);
  Matrix base = sign_rows(1, 40, random);
  const std::vector<float> row = base.values;
  for (std::size_t i = 1; i < 20000; ++i)
    base.values.insert(base.values.end(), row.begin(), row.end());
  base.n_rows = 20000;
  const Matrix queries = sign_rows(2, 40, random);
  for_all_levels([&](const Kernels& kernels) {
    for (const Stage& stage : kPrecisions) {
      const Corpus corpus = with_planes(base, stage, kernels);
      for (bool keep_ties : {false, true}) {
        const ScanRequest request = {corpus, nullptr, stage, 7, keep_ties, kernels};
        for (const Shortlist& list : scan(request, queries.queries(), split_blocks(corpus, 1)[0]))
          CHECK(difference(list.rows, all_positions(keep_ties ? 20000 : 7)) == "");
      }
    }
  });
}

// The sampled blocks hold the rows nearest to the query and no others do: the first threshold lets
// too few through.
TEST_CASE("scan: a sample that misleads changes nothing") {
  Random random(4);
  Matrix base = real_rows(8192, 40, random);
  const Matrix query = real_rows(1, 40, random);
  const auto blocks = split_blocks(Corpus::borrow(base.view()), 1)[0];
  for (const BlockRun& run : sample_blocks(blocks, 4))  // of 128 blocks, one in 32
    for (std::size_t i = run.first * 64 * 40; i < (run.first + 1) * 64 * 40; ++i)
      base.values[i] = query.values[i % 40] + 0.01F * base.values[i];
  for_all_levels([&](const Kernels& kernels) {
    for (const Stage& stage : kPrecisions) {
      const Corpus corpus = with_planes(base, stage, kernels);
      const auto scores = all_scores(corpus, stage, query.queries(), kernels);
      for (std::size_t keep : {257, 400, 2000}) {
        const ScanRequest request = {corpus, nullptr, stage, keep, false, kernels};
        check_list(scan(request, query.queries(), split_blocks(corpus, 1)[0])[0], scores[0],
                   all_positions(8192), keep, false);
      }
    }
  });
}

// The sampled blocks hold the farthest rows: the first threshold lets nearly all through, lists are
// cut on the way, and rows that tie with the last go on coming after the cut.
TEST_CASE("scan: lists that are cut on the way keep later ties or lose them, as asked") {
  Random random(6);
  const std::size_t n_rows = 3 * 128 * 64;  // lists are looked at every 128 blocks
  const Matrix query = sign_rows(1, 40, random);
  Matrix base{n_rows, 40, std::vector<float>(n_rows * 40)};
  for (std::size_t i = 0; i < n_rows; ++i)
    for (std::size_t d = 0; d < 40; ++d)
      base.values[i * 40 + d] = d < i % 5 ? -query.values[d] : query.values[d];
  for (const BlockRun& run : sample_blocks(split_blocks(Corpus::borrow(base.view()), 1)[0], 12))
    for (std::size_t i = run.first * 64 * 40; i < (run.first + 1) * 64 * 40; ++i)
      base.values[i] = -query.values[i % 40];
  for_all_levels([&](const Kernels& kernels) {
    for (const Stage& stage : kPrecisions) {
      const Corpus corpus = with_planes(base, stage, kernels);
      const auto scores = all_scores(corpus, stage, query.queries(), kernels);
      for (std::size_t keep : {7, 1000, 2000})
        for (bool keep_ties : {false, true}) {
          const ScanRequest request = {corpus, nullptr, stage, keep, keep_ties, kernels};
          check_list(scan(request, query.queries(), split_blocks(corpus, 1)[0])[0], scores[0],
                     all_positions(n_rows), keep, keep_ties);
        }
    }
  });
}

TEST_CASE("scan: parts hold every block once, in order, about equally many") {
  Random random(5);
  const Matrix base = real_rows(Segment::kMaxRows + 300, 1, random);
  for (std::size_t n_rows : {std::size_t{0}, std::size_t{1}, std::size_t{700}, base.n_rows}) {
    const Corpus corpus = Corpus::borrow(base.view().rows(0, n_rows));
    const std::size_t total = (n_rows + 63) / 64;
    for (std::size_t n_parts : {1, 2, 3, 7, 100}) {
      const auto parts = split_blocks(corpus, n_parts);
      REQUIRE(parts.size() == n_parts);
      std::size_t next = 0;
      for (const auto& part : parts) {
        CHECK(count_blocks(part) <= total / n_parts + 1);
        for (const BlockRun& run : part)
          for (std::size_t b = run.first; b < run.first + run.count; ++b)
            CHECK(run.segment * (Segment::kMaxRows / 64) + b == next++);
      }
      CHECK(next == total);
      for (std::size_t n : {1, 2, 5, 11}) {
        if (n > total) continue;
        const auto sample = sample_blocks(split_blocks(corpus, 1)[0], n);
        CHECK(sample.size() == n);
        CHECK(count_blocks(sample) == n);
      }
    }
  }
}

}  // namespace
}  // namespace ff::test
