#include "search/guess_floors.hpp"

#include <algorithm>
#include <limits>

#include "stages/block_scorer.hpp"
#include "stages/rescore.hpp"

namespace ff {
namespace {

// The funnel that guesses: 256 sign bits are a scan of 50 us over 117,659 rows on Zen 4 and put the
// lowest of their best k near enough to the truth that a better one would drop few rows more. Half
// of the rows are half the scan, but a query took 453 us instead of 405: the floor is what counts.
constexpr std::size_t kGuessDims = 256;
constexpr std::size_t kGuessRows = 64;

}  // namespace

std::size_t guess_slices(std::size_t dim) {
  return (std::min(dim, kGuessDims) + kSliceDims - 1) / kSliceDims;
}

std::vector<float> guess_floors(const Corpus& corpus, const Queries& queries,
                                const SearchOptions& options, std::size_t k, std::size_t n_rows,
                                LengthRange lengths) {
  const std::size_t dim = corpus.dim();
  const std::size_t keep = std::min(16 * k + kGuessRows, n_rows);
  std::vector<float> floors(queries.count, -std::numeric_limits<float>::infinity());
  if (keep < std::max<std::size_t>(1, k)) return floors;
  const Stage signs = {std::min(dim, kGuessDims), Precision::b1, false, keep};
  const Stage int8 = {dim, Precision::i8, false, 0}, floats = {dim, Precision::f32, false, 0};
  const Scores scores_of(options.metric, queries, options.kernels);
  auto lists = scan({corpus, options.mask(), signs, keep, false, options.kernels}, queries,
                    split_blocks(corpus, 1)[0]);
  for (std::size_t q = 0; q < queries.count; ++q) {
    Shortlist& list = lists[q];
    rescore(corpus, int8, queries[q], options.kernels, list);
    scores_of.of_list(corpus, q, list);
    shorten(list, k, false);
    if (list.size() < k) continue;
    rescore(corpus, floats, queries[q], options.kernels, list);
    scores_of.of_list(corpus, q, list);
    const float error =
        BlockScorer(floats, queries.slice(q, 1), options.kernels).error_bound(0).base;
    float lowest = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Row row = list.rows[i];
      lowest =
          std::min(lowest, list.scores[i] - scores_of.error(corpus.segment_of(row),
                                                            row % Segment::kMaxRows, q, error));
    }
    floors[q] = scores_of.cosine_floor(lowest, q, lengths);
  }
  return floors;
}

}  // namespace ff
