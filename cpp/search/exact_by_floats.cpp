#include "search/exact_by_floats.hpp"

#include <algorithm>

#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/metric.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kGroupQueries = 32;
constexpr std::size_t kMinBlocksAPart = 64;  // 4,096 rows
constexpr std::size_t kGatherRows = 32;      // as in exact_search.cpp
constexpr std::size_t kRowsAtOnce = 1024;    // between two looks at interrupts

class ExactByFloats {
 public:
  ExactByFloats(const Corpus& corpus, const Queries& queries, const SearchOptions& options,
                const Results& results)
      : corpus_(corpus), queries_(queries), options_(options), results_(results) {}

  void run() {
    const RowFilter* filter = options_.filter;
    if (filter != nullptr && filter->n_rows() * kGatherRows < corpus_.n_rows()) {
      const std::vector<Row> rows = filter->rows();
      parallel_for(queries_.count, options_.n_threads, [&](std::size_t q) { answer(q, rows); });
    } else {
      scan_and_answer();
    }
  }

 private:
  void scan_and_answer() {
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
      const std::size_t first = g * kGroupQueries, groups = std::min(at_once, n_groups - g);
      std::vector<std::vector<Shortlist>> lists(groups * n_parts);
      parallel_for(lists.size(), options_.n_threads, [&](std::size_t task) {
        lists[task] = candidates(first + task / n_parts * kGroupQueries, parts[task % n_parts]);
      });
      const std::size_t count = std::min(groups * kGroupQueries, queries_.count - first);
      parallel_for(count, options_.n_threads, [&](std::size_t q) {
        std::vector<Row> rows;
        for (std::size_t p = 0; p < n_parts; ++p) {
          const auto& some = lists[q / kGroupQueries * n_parts + p][q % kGroupQueries].rows;
          rows.insert(rows.end(), some.begin(), some.end());
        }
        answer(first + q, rows);
      });
    }
  }

  // For each query of the group the rows of these blocks that may be among its answers.
  std::vector<Shortlist> candidates(std::size_t first, std::span<const BlockRun> blocks) const {
    const Queries some = queries_.slice(first, std::min(kGroupQueries, queries_.count - first));
    BlockScorer scorer({corpus_.dim(), Precision::f32, false, 0}, some, options_.kernels);
    const Scores scores_of(options_.metric, some);
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
    for (const BlockRun& run : blocks)
      for (std::size_t b = run.first; b < run.first + run.count; ++b) {
        check_interrupt();
        const Segment& segment = *corpus_.segments()[run.segment];
        const std::uint64_t alive = options_.filter != nullptr
                                        ? options_.filter->mask()[run.segment][b]
                                        : segment.alive()[b];
        if (alive == 0) continue;
        scorer.score(segment, b, scores.data());
        scores_of.of_block(segment, b, scores.data());
        const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - b * kBlockRows);
        const auto first_row = static_cast<Row>(run.segment * Segment::kMaxRows + b * kBlockRows);
        for (std::size_t q = 0; q < some.count; ++q) {
          float* upper = scores.data() + q * kBlockRows;
          for (std::size_t r = 0; r < n_rows; ++r)
            upper[r] += scores_of.error(segment, b * kBlockRows + r, q, cosine_errors[q]);
          survivors[q].offer(upper, alive, first_row);
        }
      }
    std::vector<Shortlist> lists;
    for (FloatSurvivors& list : survivors) lists.push_back(list.finish());
    return lists;
  }

  void answer(std::size_t q, const std::vector<Row>& rows) const {
    std::vector<double> scores;
    for (const Row row : rows) {
      if (scores.size() % kRowsAtOnce == 0) check_interrupt();
      scores.push_back(score_in_double(options_.metric, corpus_.segment_of(row).rows(),
                                       row % Segment::kMaxRows, queries_[q], options_.kernels));
    }
    results_.write(q, corpus_, rows, scores);
  }

  const Corpus& corpus_;
  const Queries& queries_;
  const SearchOptions& options_;
  const Results& results_;
};

}  // namespace

void exact_search_by_floats(const Corpus& corpus, const Queries& queries,
                            const SearchOptions& options, const Results& results) {
  ExactByFloats(corpus, queries, options, results).run();
}

}  // namespace ff
