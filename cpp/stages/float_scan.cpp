#include "stages/float_scan.hpp"

#include <algorithm>
#include <bit>

#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "stages/metric.hpp"
#include "stages/sample.hpp"

namespace ff {
namespace {

constexpr std::size_t kSampleBlocks = 32;  // 2,048 rows
constexpr std::size_t kSampleShare = 32;   // but at most 1 block in 32

}  // namespace

std::vector<Shortlist> scan_floats(const ScanRequest& request, const Queries& queries,
                                   std::span<const BlockRun> blocks) {
  BlockScorer scorer(request.stage, queries, request.kernels);
  const Scores by_metric(request.metric, queries);
  std::vector<float> scores(queries.count * kBlockRows, 0.0F);
  std::vector<FloatSurvivors> survivors(queries.count,
                                        FloatSurvivors(request.keep, request.keep_ties));
  const auto offer_blocks = [&](std::span<const BlockRun> some) {
    for_blocks(request.corpus, request.mask, some,
               [&](std::size_t s, std::size_t b, std::uint64_t alive) {
                 scorer.score(*request.corpus.segments()[s], b, scores.data());
                 by_metric.of_block(*request.corpus.segments()[s], b, scores.data());
                 const auto first_row = static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows);
                 for (std::size_t q = 0; q < queries.count; ++q)
                   survivors[q].offer(scores.data() + q * kBlockRows, alive, first_row);
                 return true;
               });
  };

  // A sample's top `rank` scores give the first thresholds.
  const std::size_t total = count_blocks(blocks);
  const auto sample = sample_blocks(blocks, std::min(kSampleBlocks, total / kSampleShare));
  if (!sample.empty()) {
    std::size_t n_sampled = 0;
    for (const BlockRun& run : sample)
      n_sampled += static_cast<std::size_t>(
          std::popcount(alive_word(request.corpus, request.mask, run.segment, run.first)));
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
      const Queries alone = queries.slice(q, 1);
      BlockScorer again(request.stage, alone, request.kernels);
      const Scores by_metric_again(request.metric, alone);
      survivors[q] = FloatSurvivors(request.keep, request.keep_ties);
      for_blocks(request.corpus, request.mask, blocks,
                 [&](std::size_t s, std::size_t b, std::uint64_t alive) {
                   again.score(*request.corpus.segments()[s], b, scores.data());
                   by_metric_again.of_block(*request.corpus.segments()[s], b, scores.data());
                   survivors[q].offer(scores.data(), alive,
                                      static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows));
                   return true;
                 });
    }
    shortlists.push_back(survivors[q].finish());
  }
  return shortlists;
}

}  // namespace ff
