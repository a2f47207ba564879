#include "stages/float_scan.hpp"

#include <algorithm>
#include <bit>

#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/metric.hpp"
#include "stages/sample.hpp"

namespace ff {
namespace {

class FloatScanner {
 public:
  FloatScanner(const ScanRequest& request, const Queries& queries, std::span<const BlockRun> blocks)
      : request_(request),
        queries_(queries),
        blocks_(blocks),
        n_blocks_(count_blocks(blocks)),
        sample_(sample_for_thresholds(blocks)),
        scorer_(request.stage, queries, request.kernels),
        by_metric_(request.metric, queries, request.kernels),
        scores_(queries.count * kBlockRows, 0.0F),
        survivors_(queries.count, FloatSurvivors(request.keep, request.keep_ties)) {}

  // About `slack` times the rows that are wanted pass the first thresholds.
  std::vector<Shortlist> run(std::size_t slack) {
    const bool guessed = guess_thresholds(slack);
    offer(blocks_);
    std::vector<Shortlist> lists;
    std::vector<std::size_t> misled;  // by the sample: fewer rows than wanted passed
    for (std::size_t q = 0; q < queries_.count; ++q) {
      if (guessed && survivors_[q].size() < request_.keep) misled.push_back(q);
      lists.push_back(survivors_[q].finish());
    }
    if (!misled.empty()) scan_again(misled, 4 * slack, lists);
    return lists;
  }

 private:
  void offer(std::span<const BlockRun> blocks) {
    for_blocks(request_.corpus, request_.mask, blocks,
               [&](std::size_t s, std::size_t b, std::uint64_t alive) {
                 const Segment& segment = *request_.corpus.segments()[s];
                 scorer_.score(segment, b, scores_.data());
                 by_metric_.of_block(segment, b, scores_.data());
                 const auto first_row = static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows);
                 for (std::size_t q = 0; q < queries_.count; ++q)
                   survivors_[q].offer(scores_.data() + q * kBlockRows, alive, first_row);
                 return true;
               });
  }

  // From the best of a sample; false where none is taken or it is no larger than what may pass.
  bool guess_thresholds(std::size_t slack) {
    std::size_t n_sampled = 0;
    for (const BlockRun& run : sample_)
      n_sampled += static_cast<std::size_t>(
          std::popcount(alive_word(request_.corpus, request_.mask, run.segment, run.first)));
    if (n_sampled == 0) return false;
    const std::size_t n_rows = n_sampled * n_blocks_ / sample_.size();
    const std::size_t rank = slack * threshold_rank(request_.keep, n_sampled, n_rows);
    if (rank >= n_sampled) return false;
    for (FloatSurvivors& list : survivors_) list = FloatSurvivors(rank, false);
    offer(sample_);
    for (FloatSurvivors& list : survivors_) {
      const Shortlist best = list.finish();
      const float threshold = *std::min_element(best.scores.begin(), best.scores.end());
      list = FloatSurvivors(request_.keep, request_.keep_ties);
      list.raise_threshold(threshold);
    }
    return true;
  }

  // All of them together: a scan reads the rows once for however many queries.
  void scan_again(const std::vector<std::size_t>& misled, std::size_t slack,
                  std::vector<Shortlist>& lists) const {
    std::vector<float> values;
    for (const std::size_t q : misled)
      values.insert(values.end(), queries_[q], queries_[q] + queries_.dim);
    auto found =
        FloatScanner(request_, {values.data(), misled.size(), queries_.dim}, blocks_).run(slack);
    for (std::size_t i = 0; i < misled.size(); ++i) lists[misled[i]] = std::move(found[i]);
  }

  const ScanRequest& request_;
  const Queries& queries_;
  std::span<const BlockRun> blocks_;
  std::size_t n_blocks_;
  std::vector<BlockRun> sample_;
  BlockScorer scorer_;
  Scores by_metric_;
  std::vector<float> scores_;
  std::vector<FloatSurvivors> survivors_;
};

}  // namespace

std::vector<Shortlist> scan_floats(const ScanRequest& request, const Queries& queries,
                                   std::span<const BlockRun> blocks) {
  return FloatScanner(request, queries, blocks).run(1);
}

}  // namespace ff
