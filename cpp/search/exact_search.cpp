#include "search/exact_search.hpp"

#include <algorithm>

#include "arrays/float_rows.hpp"
#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/rescore.hpp"
#include "stages/select_top.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kGroupQueries = 32;
constexpr std::size_t kMinBlocksAPart = 64;  // 4,096 rows
constexpr std::size_t kManyFloatRows = 64;
constexpr std::size_t kFewSurvivors = 32;  // one row in so many

class ExactSearch {
 public:
  ExactSearch(const Corpus& corpus, ExactScan scan, const Queries& queries,
              const SearchOptions& options, const Results& results)
      : corpus_(corpus),
        stage_({corpus.dim(), scan == ExactScan::int8_rows ? Precision::i8 : Precision::f32, false,
                0}),
        queries_(queries),
        options_(options),
        results_(results) {}

  void run() {
    std::size_t n_blocks = 0;
    for (const auto& segment : corpus_.segments()) n_blocks += segment->n_blocks();
    const std::size_t n_groups = (queries_.count + kGroupQueries - 1) / kGroupQueries;
    const std::size_t n_parts =
        n_groups >= 2 * options_.n_threads
            ? 1
            : std::clamp<std::size_t>(n_blocks / kMinBlocksAPart, 1, options_.n_threads);
    const auto parts = split_blocks(corpus_, n_parts);
    // As many groups at a time as keep all threads busy: their lists are all that is held.
    const std::size_t at_once = std::max<std::size_t>(1, options_.n_threads / n_parts);
    for (std::size_t g = 0; g < n_groups; g += at_once) {
      const std::size_t first = g * kGroupQueries;
      const std::size_t groups = std::min(at_once, n_groups - g);
      std::vector<std::vector<Shortlist>> lists(groups * n_parts);
      parallel_for(lists.size(), options_.n_threads, [&](std::size_t task) {
        const std::size_t group = first + task / n_parts * kGroupQueries;
        lists[task] = scan_group(stage_, group, parts[task % n_parts]);
        if (stage_.precision == Precision::i8 && too_many(lists[task], parts[task % n_parts]))
          lists[task] = scan_group(float_stage(), group, parts[task % n_parts]);
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

 private:
  // For each query of the group the rows of these blocks that may be among its answers.
  std::vector<Shortlist> scan_group(const Stage& stage, std::size_t first,
                                    std::span<const BlockRun> blocks) const {
    const Queries some = queries_.slice(first, std::min(kGroupQueries, queries_.count - first));
    BlockScorer scorer(stage, some, options_.kernels, true);
    std::vector<BlockScorer::ErrorBound> bounds;
    std::vector<FloatSurvivors> survivors;
    for (std::size_t q = 0; q < some.count; ++q) {
      bounds.push_back(scorer.error_bound(q));
      survivors.emplace_back(results_.k, true, [this, stage, bound = bounds[q]](Row row) {
        return 2 * (bound.base + bound.slope * int8_error(stage, row));
      });
    }
    std::vector<float> scores(some.count * kBlockRows, 0.0F);
    for (const BlockRun& run : blocks)
      for (std::size_t b = run.first; b < run.first + run.count; ++b) {
        const Segment& segment = *corpus_.segments()[run.segment];
        const std::uint64_t alive = options_.filter != nullptr
                                        ? options_.filter->mask()[run.segment][b]
                                        : segment.alive()[b];
        if (alive == 0) continue;
        scorer.score(segment, b, scores.data());
        const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - b * kBlockRows);
        const auto first_row = static_cast<Row>(run.segment * Segment::kMaxRows + b * kBlockRows);
        for (std::size_t q = 0; q < some.count; ++q) {
          float* upper = scores.data() + q * kBlockRows;
          if (stage.precision == Precision::i8) {
            const float* errors = segment.int8_errors() + b * kBlockRows;
            for (std::size_t r = 0; r < n_rows; ++r)
              upper[r] += bounds[q].base + bounds[q].slope * errors[r];
          } else {
            for (std::size_t r = 0; r < n_rows; ++r) upper[r] += bounds[q].base;
          }
          survivors[q].offer(upper, alive, first_row);
        }
      }
    std::vector<Shortlist> lists;
    for (FloatSurvivors& list : survivors) lists.push_back(list.finish());
    return lists;
  }

  // Bounds that let more than this share through do not pay: floats in batches do, once more.
  bool too_many(const std::vector<Shortlist>& lists, std::span<const BlockRun> blocks) const {
    std::size_t rows = 0, survivors = 0;
    for (const BlockRun& run : blocks) rows += run.count * kBlockRows;
    for (const Shortlist& list : lists) survivors += list.size();
    return survivors > lists.size() * std::max(rows / kFewSurvivors, results_.k + kManyFloatRows);
  }

  Stage float_stage() const { return {corpus_.dim(), Precision::f32, false, 0}; }

  float int8_error(const Stage& stage, Row row) const {
    return stage.precision == Precision::i8
               ? corpus_.segment_of(row).int8_errors()[row % Segment::kMaxRows]
               : 0.0F;
  }

  void answer(std::size_t q, Shortlist& list) const {
    // A coarse scan leaves hundreds of rows; finer integers leave tens for the floats.
    if (stage_.precision == Precision::i8 && list.size() > kManyFloatRows)
      rescore_and_drop(q, stage_, list);
    rescore_and_drop(q, float_stage(), list);
    std::vector<double> scores;
    for (Row row : list.rows)
      scores.push_back(cosine_in_double(corpus_.segment_of(row).rows(), row % Segment::kMaxRows,
                                        queries_[q], corpus_.dim(), options_.kernels));
    results_.write(q, corpus_, list.rows, scores);
  }

  // Rescores the list and drops the rows whose upper bound is below the k-th lower bound.
  void rescore_and_drop(std::size_t q, const Stage& stage, Shortlist& list) const {
    rescore(corpus_, stage, queries_[q], options_.kernels, list);
    if (list.size() <= results_.k) return;
    const auto bound = BlockScorer(stage, queries_.slice(q, 1), options_.kernels).error_bound(0);
    std::vector<float> widths, lower;
    for (std::size_t i = 0; i < list.size(); ++i) {
      widths.push_back(bound.base + bound.slope * int8_error(stage, list.rows[i]));
      lower.push_back(list.scores[i] - widths[i]);
    }
    const float kth = find_cut(lower.data(), lower.size(), results_.k).score;
    std::vector<std::uint32_t> kept;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (list.scores[i] + widths[i] >= kth) kept.push_back(static_cast<std::uint32_t>(i));
    list.keep_only(kept);
  }

  const Corpus& corpus_;
  Stage stage_;
  const Queries& queries_;
  const SearchOptions& options_;
  const Results& results_;
};

}  // namespace

PlaneNeeds exact_needs(const Corpus& corpus, ExactScan scan) {
  PlaneNeeds needs;
  needs.add_norms(corpus.dim());
  needs.int8_rows = needs.int8_errors = scan == ExactScan::int8_rows;
  return needs;
}

void exact_search(const Corpus& corpus, ExactScan scan, const Queries& queries,
                  const SearchOptions& options, const Results& results) {
  ExactSearch(corpus, scan, queries, options, results).run();
}

}  // namespace ff
