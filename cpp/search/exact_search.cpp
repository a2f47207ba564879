#include "search/exact_search.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <unordered_map>

#include "search/guess_floors.hpp"
#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/metric.hpp"
#include "stages/rescore.hpp"
#include "stages/upper_bounds.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

// Past each block while it is in the cache; measured on Zen 4: 441 us a query in groups of 64, 414
// of 96, 399 of 128, no less beyond.
constexpr std::size_t kGroupQueries = 128;
constexpr std::size_t kMinBlocksAPart = 64;  // 4,096 rows
constexpr std::size_t kRowsACheck = 1024;    // between looks for an interrupt
constexpr std::size_t kManyFloatRows = 64;
// Gathering a row costs as much as passing over so many in a scan (bench/filters.py).
constexpr std::size_t kGatherRows = 32;
constexpr std::size_t kFewSurvivors = 32;  // one row in so many
// Up to so many rows all floats are read before a floor is guessed: 256 x 1,024 take 38 us a query
// of a batch instead of 64, and as long as bounds for a query alone; with 1,000 rows a batch takes
// as long either way (Cascade Lake).
constexpr std::size_t kFewRows = 256;
constexpr std::size_t kFewRowsOfMany = 1024;
constexpr std::size_t kManyQueries = 8;

class ExactSearch {
 public:
  ExactSearch(const Corpus& corpus, ExactScan scan, const Queries& queries,
              const SearchOptions& options, const Results& results)
      : corpus_(corpus),
        scan_(scan),
        queries_(queries),
        options_(options),
        results_(results),
        n_rows_(options.n_rows(corpus)),
        lengths_(length_range(corpus, options.metric)) {}

  void run() {
    if (n_rows_ * kGatherRows < corpus_.n_rows())
      answer_with_all();
    else
      scan_and_answer();
  }

 private:
  // Few rows may answer: no scan.
  void answer_with_all() const {
    const std::vector<Row> rows =
        options_.filter != nullptr ? options_.filter->rows() : RowFilter::all(corpus_).rows();
    parallel_for(queries_.count, options_.n_threads, [&](std::size_t q) {
      Shortlist list;
      list.rows = rows;
      answer(q, list);
    });
  }

  void scan_and_answer() {
    const std::size_t n_groups = (queries_.count + kGroupQueries - 1) / kGroupQueries;
    const std::size_t n_parts =
        n_groups >= 2 * options_.n_threads
            ? 1
            : std::clamp<std::size_t>(corpus_.n_blocks() / kMinBlocksAPart, 1, options_.n_threads);
    const auto parts = split_blocks(corpus_, n_parts);
    // As many groups at a time as keep all threads busy: their lists are all that is held.
    const std::size_t at_once = std::max<std::size_t>(1, options_.n_threads / n_parts);
    for (std::size_t g = 0; g < n_groups; g += at_once) {
      const std::size_t first = g * kGroupQueries;
      const std::size_t groups = std::min(at_once, n_groups - g);
      std::vector<std::vector<float>> floors(groups);
      if (scan_ != ExactScan::float_rows)
        parallel_for(groups, options_.n_threads, [&](std::size_t group) {
          floors[group] = guess_floors(corpus_, group_of(first + group * kGroupQueries), options_,
                                       results_.k, n_rows_, lengths_);
        });
      std::vector<std::vector<Shortlist>> lists(groups * n_parts);
      parallel_for(lists.size(), options_.n_threads, [&](std::size_t task) {
        const std::size_t group = task / n_parts;
        lists[task] = candidates(group_of(first + group * kGroupQueries), floors[group],
                                 parts[task % n_parts]);
      });
      const std::size_t count = std::min(groups * kGroupQueries, queries_.count - first);
      parallel_for(count, options_.n_threads, [&](std::size_t q) {
        const std::size_t group = q / kGroupQueries * n_parts;
        Shortlist list = std::move(lists[group][q % kGroupQueries]);
        for (std::size_t p = 1; p < n_parts; ++p) {
          const Shortlist& part = lists[group + p][q % kGroupQueries];
          list.rows.insert(list.rows.end(), part.rows.begin(), part.rows.end());
        }
        answer(first + q, list);
      });
    }
  }

  Queries group_of(std::size_t first) const {
    return queries_.slice(first, std::min(kGroupQueries, queries_.count - first));
  }

  // For each query the rows of these blocks that may be among its answers.
  std::vector<Shortlist> candidates(const Queries& some, std::span<const float> floors,
                                    std::span<const BlockRun> blocks) const {
    if (scan_ == ExactScan::projections) {
      ProjectedBounds bounds(*corpus_.basis(), some, floors, options_.kernels);
      if (auto lists = rows_above(bounds, some.count, blocks)) return std::move(*lists);
    }
    if (scan_ != ExactScan::float_rows) {
      Int8Bounds bounds(some, floors, options_.kernels);
      if (auto lists = rows_above(bounds, some.count, blocks)) return std::move(*lists);
    }
    return best_floats(some, blocks);
  }

  // The rows whose upper bounds reach the floors; nothing as soon as they are too many for the
  // bounds to pay.
  template <class Bounds>
  std::optional<std::vector<Shortlist>> rows_above(Bounds& bounds, std::size_t n_queries,
                                                   std::span<const BlockRun> blocks) const {
    std::vector<Shortlist> lists(n_queries);
    std::vector<std::uint64_t> masks(n_queries);
    std::size_t seen = 0, found = 0;
    bool too_many = false;
    for_blocks(
        corpus_, options_.mask(), blocks,
        [&](std::size_t segment, std::size_t b, std::uint64_t alive) {
          bounds.reaching(*corpus_.segments()[segment], b, masks.data());
          const auto first_row = static_cast<Row>(segment * Segment::kMaxRows + b * kBlockRows);
          for (std::size_t q = 0; q < n_queries; ++q)
            for (std::uint64_t rows = masks[q] & alive; rows != 0; rows &= rows - 1, ++found)
              lists[q].rows.push_back(first_row + static_cast<Row>(std::countr_zero(rows)));
          seen += kBlockRows;
          too_many = found > n_queries * (seen / kFewSurvivors + results_.k + kManyFloatRows);
          return !too_many;
        });
    if (too_many) return std::nullopt;
    return lists;
  }

  // By float32 scores of all rows.
  std::vector<Shortlist> best_floats(const Queries& some, std::span<const BlockRun> blocks) const {
    BlockScorer scorer(float_stage(), some, options_.kernels);
    const Scores scores_of(options_.metric, some, options_.kernels);
    std::vector<float> cosine_errors;
    std::vector<FloatSurvivors> survivors;
    for (std::size_t q = 0; q < some.count; ++q) {
      cosine_errors.push_back(scorer.error_bound(q).base);
      survivors.emplace_back(results_.k, true, [&, q](Row row) {
        return 2 * scores_of.error(corpus_.segment_of(row), row % Segment::kMaxRows, q,
                                   cosine_errors[q]);
      });
    }
    std::vector<float> scores(some.count * kBlockRows, 0.0F);
    for_blocks(corpus_, options_.mask(), blocks,
               [&](std::size_t number, std::size_t b, std::uint64_t alive) {
                 const Segment& segment = *corpus_.segments()[number];
                 scorer.score(segment, b, scores.data());
                 scores_of.of_block(segment, b, scores.data());
                 const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - b * kBlockRows);
                 const auto first_row =
                     static_cast<Row>(number * Segment::kMaxRows + b * kBlockRows);
                 for (std::size_t q = 0; q < some.count; ++q) {
                   float* upper = scores.data() + q * kBlockRows;
                   for (std::size_t r = 0; r < n_rows; ++r)
                     upper[r] += scores_of.error(segment, b * kBlockRows + r, q, cosine_errors[q]);
                   survivors[q].offer(upper, alive, first_row);
                 }
                 return true;
               });
    std::vector<Shortlist> lists;
    for (FloatSurvivors& list : survivors) lists.push_back(list.finish());
    return lists;
  }

  Stage int8_stage() const { return {corpus_.dim(), Precision::i8, false, 0}; }
  Stage float_stage() const { return {corpus_.dim(), Precision::f32, false, 0}; }

  float int8_error(const Stage& stage, Row row) const {
    return stage.precision == Precision::i8
               ? corpus_.segment_of(row).int8_errors()[row % Segment::kMaxRows]
               : 0.0F;
  }

  void answer(std::size_t q, Shortlist& list) const {
    // Bounds leave hundreds of rows; finer integers leave tens for the floats.
    if (list.scores.empty()) {
      if (scan_ != ExactScan::float_rows && list.size() > kManyFloatRows)
        rescore_and_drop(q, int8_stage(), list);
      rescore_and_drop(q, float_stage(), list);
    }
    const Float64Scores true_score(options_.metric, queries_[q], queries_.dim, options_.kernels);
    std::vector<double> scores;
    std::unordered_map<Row, double> of_first;  // of copies, which are rare or all in a row
    Row last_first = 0;
    for (Row row : list.rows) {
      if (scores.size() % kRowsACheck == 0) check_interrupt();
      const Segment& segment = corpus_.segment_of(row);
      const std::size_t i = row % Segment::kMaxRows;
      const Row first = row - static_cast<Row>(i - segment.copies().first_of(i));
      if (!scores.empty() && first == last_first) {
        scores.push_back(scores.back());
        continue;
      }
      last_first = first;
      const auto [score, is_new] = of_first.try_emplace(first, 0);
      if (is_new) score->second = true_score(segment.rows(), i);
      scores.push_back(score->second);
    }
    results_.write(q, corpus_, list.rows, scores);
  }

  // Rescores the list and drops the rows whose upper bound is below the k-th lower bound.
  void rescore_and_drop(std::size_t q, const Stage& stage, Shortlist& list) const {
    rescore(corpus_, stage, queries_[q], options_.kernels, list);
    if (list.size() <= results_.k) return;
    const auto bound = BlockScorer(stage, queries_.slice(q, 1), options_.kernels).error_bound(0);
    const Scores scores_of(options_.metric, queries_.slice(q, 1), options_.kernels);
    scores_of.of_list(corpus_, 0, list);
    std::vector<float> widths;
    for (const Row row : list.rows)
      widths.push_back(scores_of.error(corpus_.segment_of(row), row % Segment::kMaxRows, 0,
                                       bound.base + bound.slope * int8_error(stage, row)));
    drop_losers(list, results_.k, widths);
  }

  const Corpus& corpus_;
  ExactScan scan_;
  const Queries& queries_;
  const SearchOptions& options_;
  const Results& results_;
  const std::size_t n_rows_;  // that may answer
  const LengthRange lengths_;
};

}  // namespace

ExactScan exact_scan(const Corpus& corpus, std::size_t n_queries) {
  if (!corpus.format().signs || !corpus.format().int8) return ExactScan::float_rows;
  const bool in_memory =
      std::all_of(corpus.segments().begin(), corpus.segments().end(),
                  [](const auto& segment) { return segment->rows().file == nullptr; });
  if (in_memory && corpus.n_rows() <= (n_queries < kManyQueries ? kFewRows : kFewRowsOfMany))
    return ExactScan::float_rows;
  return corpus.basis() ? ExactScan::projections : ExactScan::int8_rows;
}

PlaneNeeds exact_needs(const Corpus& corpus, ExactScan scan) {
  PlaneNeeds needs;
  needs.add_norms(corpus.dim());
  needs.copies = true;
  if (scan == ExactScan::float_rows) return needs;
  needs.int8_rows = needs.int8_errors = true;
  needs.sign_slices = guess_slices(corpus.dim());
  if (scan == ExactScan::projections) needs.basis = corpus.basis();
  return needs;
}

void exact_search(const Corpus& corpus, ExactScan scan, const Queries& queries,
                  const SearchOptions& options, const Results& results) {
  ExactSearch(corpus, scan, queries, options, results).run();
}

}  // namespace ff
