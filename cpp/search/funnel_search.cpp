#include "search/funnel_search.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "planes/packed_signs.hpp"
#include "stages/block_scorer.hpp"
#include "stages/metric.hpp"
#include "stages/rescore.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

// Of sign bits: their tables share the cache with a chunk of rows. Of floats: so many share what a
// scan reads from memory.
constexpr std::size_t kGroupQueries = 32;
constexpr std::size_t kFloatGroupQueries = 128;
// 65,536 rows: a part of 256 bits takes less time than waking a thread below (two threads on
// 117,659 rows made a query 1.4 times as long).
constexpr std::size_t kMinBlocksAPart = 1024;

// What a filtered search does with few rows, in scans of 256 bits of a row by one query (0.8 ns on
// a busy Zen 4). Bringing a row's sign bits together for all queries, from where they lie row by
// row or from the scan's own order:
constexpr std::size_t kPackSignRows = 18;
constexpr std::size_t kPackSignCells = 32;
// Gathering a row for one query, and so many bytes of it: 12 ns for 256 bits, 20 for 1,024; of int8
// values 16 and 30, of floats 34 and 105. Bits count four times, for their unpacking.
constexpr std::size_t kGatherRow = 14;
constexpr std::size_t kGatherBytes = 36;
// Where the scan reads floats or int8 values itself, in rows that it scans.
constexpr std::size_t kGatherFloats = 4;
// So many rows of 1,024 floats are read in 40 us.
constexpr std::size_t kFewRows = 64;

// Rows that a scan of all floats keeps beyond k: as many may stand before their betters by
// rounding.
constexpr std::size_t kSpare = 16;

class FunnelSearch {
 public:
  FunnelSearch(const Corpus& corpus, const Funnel& funnel, const Queries& queries,
               const SearchOptions& options, const Results& results)
      : corpus_(corpus),
        funnel_(funnel),
        queries_(queries),
        options_(options),
        results_(results),
        n_rows_(options.n_rows(corpus)) {}

  void run() {
    if (options_.filter == nullptr) {
      scan_all(first_stage(corpus_, nullptr));
      return;
    }
    // A stage that would keep every row that may answer need not score them, nor need any where
    // the last one scores them all as fast: a filter may leave rows that are far from what is
    // asked for, which estimates tell apart poorly.
    std::size_t first = 0;
    while (!is_last(first) && (funnel_[first].keep >= n_rows_ || n_rows_ <= kFewRows)) ++first;
    if (first > 0 || n_rows_ == 0)
      gather_from(std::max<std::size_t>(first, scans_signs() ? 1 : 0));
    else if (scans_signs())
      take_cheapest();
    else if (n_rows_ * kGatherFloats < n_scanned())
      gather_from(0);
    else
      scan_all(first_stage(corpus_, options_.mask()));
  }

 private:
  bool is_last(std::size_t stage) const { return stage + 1 == funnel_.size(); }
  std::size_t keep_of(std::size_t stage) const {
    const std::size_t last = results_.k + (ends_in_floats() ? kSpare : 0);
    return std::min(is_last(stage) ? last : funnel_[stage].keep, std::max<std::size_t>(1, n_rows_));
  }
  ScanRequest first_stage(const Corpus& corpus, const RowMask* mask) const {
    return {corpus, mask, funnel_[0], keep_of(0), is_last(0), options_.kernels, options_.metric};
  }
  std::size_t slices() const { return (funnel_[0].dims + kSliceDims - 1) / kSliceDims; }

  bool scans_signs() const { return funnel_[0].precision == Precision::b1; }
  // Rows of the blocks that a scan with the filter reads.
  std::size_t n_scanned() const { return options_.filter->n_blocks() * kBlockRows; }

  static std::size_t cost_of_gathering(const Stage& stage) {
    const std::size_t bytes = stage.precision == Precision::b1   ? stage.dims / 2
                              : stage.precision == Precision::i8 ? stage.dims
                                                                 : stage.dims * sizeof(float);
    return kGatherRow + bytes / kGatherBytes;
  }

  // Of the ways to the second stage: a scan; a scan of the few rows, packed; those rows one by one,
  // by the first stage where its bits lie row by row; or by the second at once.
  void take_cheapest() {
    constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    const bool has_next = funnel_.size() > 1, has_rows = has_sign_rows(corpus_);
    const std::size_t count = queries_.count;
    const std::size_t of_next = has_next ? cost_of_gathering(funnel_[1]) : 0;
    const std::size_t behind = keep_of(0) * of_next * count;
    const auto of_scan = [&](std::size_t rows) { return rows * count * slices() / 4; };
    const std::size_t scanning = of_scan(n_scanned()) + behind;
    const std::size_t packing =
        of_scan(n_rows_) + n_rows_ * (has_rows ? kPackSignRows : kPackSignCells) + behind;
    const std::size_t gathering = has_next ? n_rows_ * of_next * count : never;
    const std::size_t gathering_signs =
        has_next && has_rows ? n_rows_ * cost_of_gathering(funnel_[0]) * count + behind : never;
    const std::size_t least = std::min({scanning, packing, gathering, gathering_signs});
    if (least == scanning) {
      scan_all(first_stage(corpus_, options_.mask()));
    } else if (least == packing) {
      packed_ = options_.filter->rows();
      const Corpus packed = pack_signs(corpus_, packed_, slices(), options_.n_threads);
      scan_all(first_stage(packed, nullptr));
    } else {
      gather_from(least == gathering ? 1 : 0);
    }
  }

  void scan_all(const ScanRequest& request) {
    const std::size_t n_parts =
        std::min<std::size_t>(options_.n_threads, request.corpus.n_blocks() / kMinBlocksAPart);
    if (queries_.count >= 2 * options_.n_threads || n_parts <= 1)
      by_queries(request);
    else
      by_rows(request, n_parts);
  }

  void by_queries(const ScanRequest& request) {
    const auto all_blocks = split_blocks(request.corpus, 1)[0];
    const std::size_t group =
        std::clamp<std::size_t>((queries_.count + options_.n_threads - 1) / options_.n_threads, 1,
                                scans_signs() ? kGroupQueries : kFloatGroupQueries);
    parallel_for((queries_.count + group - 1) / group, options_.n_threads, [&](std::size_t g) {
      const std::size_t first = g * group;
      const Queries some = queries_.slice(first, std::min(group, queries_.count - first));
      const Timer timer;
      auto shortlists = scan(request, some, all_blocks);
      note(0, n_rows_, timer);
      for (std::size_t q = 0; q < some.count; ++q) finish(first + q, 1, shortlists[q]);
    });
  }

  void by_rows(const ScanRequest& request, std::size_t n_parts) {
    const auto parts = split_blocks(request.corpus, n_parts);
    std::vector<std::vector<Shortlist>> partial(n_parts);
    const Timer timer;
    parallel_for(n_parts, options_.n_threads,
                 [&](std::size_t p) { partial[p] = scan(request, queries_, parts[p]); });
    std::vector<Shortlist> merged = std::move(partial[0]);
    for (std::size_t q = 0; q < queries_.count; ++q) {
      for (std::size_t p = 1; p < n_parts; ++p) {  // parts ascend, so rows do too
        const Shortlist& part = partial[p][q];
        merged[q].rows.insert(merged[q].rows.end(), part.rows.begin(), part.rows.end());
        merged[q].scores.insert(merged[q].scores.end(), part.scores.begin(), part.scores.end());
      }
      shorten(merged[q], keep_of(0), is_last(0));
    }
    note(0, n_rows_, timer);
    parallel_for(queries_.count, options_.n_threads,
                 [&](std::size_t q) { finish(q, 1, merged[q]); });
  }

  // Every row that may answer goes to this stage.
  void gather_from(std::size_t stage) {
    const std::vector<Row> rows = options_.filter->rows();
    parallel_for(queries_.count, options_.n_threads, [&](std::size_t q) {
      Shortlist list;
      list.rows = rows;
      finish(q, stage, list);
    });
  }

  void finish(std::size_t q, std::size_t stage, Shortlist& list) const {
    if (!packed_.empty() && stage > 0)
      for (Row& row : list.rows) row = packed_[row];
    if (scans_signs() && !list.scores.empty()) weigh(q, list);  // cosines of a scan
    for (std::size_t s = stage; s < funnel_.size(); ++s) {
      const Timer timer;
      const std::size_t n_rows = list.size();
      rescore(corpus_, funnel_[s], queries_[q], options_.kernels, list);
      weigh(q, list);
      if (!is_last(s) || !ends_in_floats()) shorten(list, keep_of(s), is_last(s));
      note(s, n_rows, timer);
    }
    if (ends_in_floats())
      answer_in_float64(q, list);
    else
      results_.write(q, corpus_, list.rows, list.scores);
  }

  bool ends_in_floats() const {
    return funnel_.back().precision == Precision::f32 && funnel_.back().dims == corpus_.dim();
  }

  // float32 does not tell near copies apart, and a distance made of a cosine and lengths has lost
  // its digits where it is small.
  void answer_in_float64(std::size_t q, Shortlist& list) const {
    const Queries query = queries_.slice(q, 1);
    const Scores scores_of(options_.metric, query, options_.kernels);
    const float error = BlockScorer(funnel_.back(), query, options_.kernels).error_bound(0).base;
    std::vector<float> widths;
    for (const Row row : list.rows)
      widths.push_back(scores_of.error(corpus_.segment_of(row), row % Segment::kMaxRows, 0, error));
    drop_losers(list, results_.k, widths);
    results_.write(q, corpus_, list.rows, true_scores(q, list.rows));
  }

  std::vector<double> true_scores(std::size_t q, const std::vector<Row>& rows) const {
    const Float64Scores true_score(options_.metric, queries_[q], queries_.dim, options_.kernels);
    std::vector<double> scores;
    for (const Row row : rows)
      scores.push_back(true_score(corpus_.segment_of(row).rows(), row % Segment::kMaxRows));
    return scores;
  }

  // From cosines to the scores of the metric.
  void weigh(std::size_t q, Shortlist& list) const {
    Scores(options_.metric, queries_.slice(q, 1), options_.kernels).of_list(corpus_, 0, list);
  }

  struct Timer {
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    double seconds() const {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
  };

  void note(std::size_t stage, std::size_t n_rows, const Timer& timer) const {
    if (options_.trace == nullptr) return;
    options_.trace->resize(funnel_.size());
    (*options_.trace)[stage] = {n_rows, timer.seconds()};
  }

  const Corpus& corpus_;
  const Funnel& funnel_;
  const Queries& queries_;
  const SearchOptions& options_;
  const Results& results_;
  const std::size_t n_rows_;  // that may answer
  std::vector<Row> packed_;   // the rows of a packed corpus, where one is scanned
};

}  // namespace

void funnel_search(const Corpus& corpus, const Funnel& funnel, const Queries& queries,
                   const SearchOptions& options, const Results& results) {
  FunnelSearch(corpus, funnel, queries, options, results).run();
}

}  // namespace ff
