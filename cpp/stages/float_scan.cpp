#include "stages/float_scan.hpp"

#include <algorithm>
#include <optional>

#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/metric.hpp"
#include "stages/sample.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

constexpr std::size_t kSampleBlocks = 32;  // 2,048 rows
constexpr std::size_t kSampleShare = 32;   // but at most 1 block in 32

std::uint64_t alive_word(const ScanRequest& request, std::size_t segment, std::size_t block) {
  const auto& words = request.mask != nullptr ? (*request.mask)[segment]
                                              : request.corpus.segments()[segment]->alive();
  return words[block];
}

// Calls each(segment, block, alive) for the blocks with a row that counts.
template <class Each>
void for_blocks(const ScanRequest& request, std::span<const BlockRun> blocks, const Each& each) {
  for (const BlockRun& run : blocks)
    for (std::size_t b = run.first; b < run.first + run.count; ++b) {
      check_interrupt();
      if (const std::uint64_t alive = alive_word(request, run.segment, b))
        each(run.segment, b, alive);
    }
}

}  // namespace

std::vector<Shortlist> scan_floats(const ScanRequest& request, const Queries& queries,
                                   std::span<const BlockRun> blocks) {
  BlockScorer scorer(request.stage, queries, request.kernels);
  std::optional<Scores> by_metric;
  if (request.metric != Metric::cosine) by_metric.emplace(request.metric, queries);
  std::vector<float> scores(queries.count * kBlockRows, 0.0F);
  std::vector<FloatSurvivors> survivors(queries.count,
                                        FloatSurvivors(request.keep, request.keep_ties));
  const auto offer_blocks = [&](std::span<const BlockRun> some) {
    for_blocks(request, some, [&](std::size_t s, std::size_t b, std::uint64_t alive) {
      scorer.score(*request.corpus.segments()[s], b, scores.data());
      if (by_metric) by_metric->of_block(*request.corpus.segments()[s], b, scores.data());
      const auto first_row = static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows);
      for (std::size_t q = 0; q < queries.count; ++q)
        survivors[q].offer(scores.data() + q * kBlockRows, alive, first_row);
    });
  };

  // A sample's top `rank` scores give the first thresholds.
  const std::size_t total = count_blocks(blocks);
  const auto sample = sample_blocks(blocks, std::min(kSampleBlocks, total / kSampleShare));
  if (!sample.empty()) {
    std::size_t n_sampled = 0;
    for (const BlockRun& run : sample)
      n_sampled += static_cast<std::size_t>(
          __builtin_popcountll(alive_word(request, run.segment, run.first)));
    const std::size_t rank =
        n_sampled == 0 ? 0
                       : threshold_rank(request.keep, n_sampled, n_sampled * total / sample.size());
    if (rank < n_sampled) {
      for (FloatSurvivors& list : survivors) list = FloatSurvivors(rank, false);
      offer_blocks(sample);
      for (FloatSurvivors& list : survivors) {
        const Shortlist best = list.finish();
        const float threshold = *std::min_element(best.scores.begin(), best.scores.end());
        list = FloatSurvivors(request.keep, request.keep_ties);
        list.raise_threshold(threshold);
      }
    }
  }
  offer_blocks(blocks);

  std::vector<Shortlist> shortlists;
  for (std::size_t q = 0; q < queries.count; ++q) {
    if (survivors[q].size() < request.keep && !sample.empty()) {  // the sample misled: once more
      const float* query = queries[q];
      BlockScorer again(request.stage, {query, 1, queries.dim}, request.kernels);
      survivors[q] = FloatSurvivors(request.keep, request.keep_ties);
      for_blocks(request, blocks, [&](std::size_t s, std::size_t b, std::uint64_t alive) {
        again.score(*request.corpus.segments()[s], b, scores.data());
        if (by_metric)
          Scores(request.metric, {query, 1, queries.dim})
              .of_block(*request.corpus.segments()[s], b, scores.data());
        survivors[q].offer(scores.data(), alive,
                           static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows));
      });
    }
    shortlists.push_back(survivors[q].finish());
  }
  return shortlists;
}

}  // namespace ff
