#include "search/exact_search.hpp"

#include <algorithm>
#include <cmath>

#include "arrays/float_rows.hpp"
#include "stages/block_scorer.hpp"
#include "stages/float_survivors.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kGroupQueries = 64;
constexpr std::size_t kMinBlocksAPart = 64;

// How far a float32 cosine may lie from the true one. Each of the scan's partial sums has at most
// dim / 8 + 16 roundings of 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, section
// 3.1, with |x| |y| <= 1), the scalar one dim; 4 more for the norms.
float rounding_bound(std::size_t dim) {
  return static_cast<float>(static_cast<double>(dim + 20) * std::ldexp(1.0, -24));
}

// Replaces the float32 scores by cosines summed in float64.
void score_in_double(const Corpus& corpus, const float* query, const Kernels& kernels,
                     std::vector<double>& row, const Shortlist& list, std::vector<double>& scores) {
  double query_squares = 0;
  for (std::size_t d = 0; d < corpus.dim(); ++d)
    query_squares += static_cast<double>(query[d]) * static_cast<double>(query[d]);
  row.resize(corpus.dim());
  scores.resize(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    read_double_row(corpus.segment_of(list.rows[i]).rows(), list.rows[i] % Segment::kMaxRows,
                    kernels, row.data());
    double dot = 0, squares = 0;
    for (std::size_t d = 0; d < corpus.dim(); ++d) {
      dot += static_cast<double>(query[d]) * row[d];
      squares += row[d] * row[d];
    }
    const double lengths = std::sqrt(query_squares) * std::sqrt(squares);
    scores[i] = lengths > 0 ? dot / lengths : 0;
  }
}

}  // namespace

PlaneNeeds exact_needs(const Corpus& corpus) {
  PlaneNeeds needs;
  needs.add_norms(corpus.dim());
  return needs;
}

void exact_search(const Corpus& corpus, const Queries& queries, const SearchOptions& options,
                  const Results& results) {
  const Stage all_dims = {corpus.dim(), Precision::f32, false, 0};
  const float slack = 2 * rounding_bound(corpus.dim());
  std::size_t n_blocks = 0;
  for (const auto& segment : corpus.segments()) n_blocks += segment->n_blocks();
  const std::size_t n_groups = (queries.count + kGroupQueries - 1) / kGroupQueries;
  const std::size_t n_parts =
      n_groups >= options.n_threads
          ? 1
          : std::clamp<std::size_t>(n_blocks / kMinBlocksAPart, 1, options.n_threads);
  const auto parts = split_blocks(corpus, n_parts);

  for (std::size_t g = 0; g < n_groups; g += options.n_threads) {
    const std::size_t groups = std::min<std::size_t>(options.n_threads, n_groups - g);
    std::vector<std::vector<Shortlist>> lists(groups * n_parts);
    parallel_for(groups * n_parts, options.n_threads, [&](std::size_t task) {
      const std::size_t first = (g + task / n_parts) * kGroupQueries;
      const Queries some = queries.slice(first, std::min(kGroupQueries, queries.count - first));
      BlockScorer scorer(all_dims, some, options.kernels);
      std::vector<float> scores(some.count * kBlockRows, 0.0F);
      std::vector<FloatSurvivors> survivors(some.count, FloatSurvivors(results.k, slack, true));
      for (const BlockRun& run : parts[task % n_parts])
        for (std::size_t b = run.first; b < run.first + run.count; ++b) {
          const Segment& segment = *corpus.segments()[run.segment];
          const std::uint64_t alive = options.mask != nullptr ? (*options.mask)[run.segment][b]
                                                              : segment.alive()[b];
          if (alive == 0) continue;
          scorer.score(segment, b, scores.data());
          for (std::size_t q = 0; q < some.count; ++q)
            survivors[q].offer(scores.data() + q * kBlockRows, alive,
                               static_cast<Row>(run.segment * Segment::kMaxRows + b * kBlockRows));
        }
      for (FloatSurvivors& list : survivors) lists[task].push_back(list.finish());
    });
    for (std::size_t group = 0; group < groups; ++group) {
      const std::size_t first = (g + group) * kGroupQueries;
      const std::size_t count = std::min(kGroupQueries, queries.count - first);
      parallel_for(count, options.n_threads, [&](std::size_t q) {
        Shortlist list = std::move(lists[group * n_parts][q]);
        for (std::size_t p = 1; p < n_parts; ++p) {
          const Shortlist& part = lists[group * n_parts + p][q];
          list.rows.insert(list.rows.end(), part.rows.begin(), part.rows.end());
          list.scores.insert(list.scores.end(), part.scores.begin(), part.scores.end());
        }
        std::vector<double> row, scores;
        score_in_double(corpus, queries[first + q], options.kernels, row, list, scores);
        results.write(first + q, corpus, list.rows, scores);
      });
    }
  }
}

}  // namespace ff
