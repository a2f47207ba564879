// The first stage: scores every row, keeps the best by thresholds.
#pragma once

#include <span>
#include <vector>

#include "stages/shortlist.hpp"
#include "threads/interrupt.hpp"

namespace ff {

// Contiguous float32 queries of the corpus's dim. The largest magnitude of each is 0 or within
// 2^-20 … 2^20, so that products with any float32 row stay in range.
struct Queries {
  const float* data = nullptr;
  std::size_t count = 0;
  std::size_t dim = 0;

  const float* operator[](std::size_t q) const { return data + q * dim; }
  Queries slice(std::size_t first, std::size_t n) const { return {data + first * dim, n, dim}; }
};

// Which rows take part: a bit a row, a word a block, one vector a segment.
using RowMask = std::vector<std::vector<std::uint64_t>>;

// Consecutive blocks of one segment.
struct BlockRun {
  std::size_t segment;
  std::size_t first;
  std::size_t count;
};

// The rows of a block that take part, a bit a row. mask: null for all that are alive.
inline std::uint64_t alive_word(const Corpus& corpus, const RowMask* mask, std::size_t segment,
                                std::size_t block) {
  return mask != nullptr ? (*mask)[segment][block] : corpus.segments()[segment]->alive()[block];
}

// Calls each(segment, block, alive) for the blocks with a row that takes part, until it returns
// false. Throws what check_interrupt() throws.
template <class Each>
void for_blocks(const Corpus& corpus, const RowMask* mask, std::span<const BlockRun> blocks,
                const Each& each) {
  for (const BlockRun& run : blocks)
    for (std::size_t b = run.first; b < run.first + run.count; ++b) {
      check_interrupt();
      const std::uint64_t alive = alive_word(corpus, mask, run.segment, b);
      if (alive != 0 && !each(run.segment, b, alive)) return;
    }
}

// All blocks of the corpus, cut into n_parts lists of about equal length.
std::vector<std::vector<BlockRun>> split_blocks(const Corpus& corpus, std::size_t n_parts);

struct ScanRequest {
  const Corpus& corpus;
  const RowMask* mask;  // null: all rows
  Stage stage;
  std::size_t keep;  // at most the rows there are
  bool keep_ties;    // the last stage keeps all rows that tie for the last place
  const Kernels& kernels;
  // What floats and int8 select and score by. Sign bits do not see lengths: their scores are
  // cosines whatever the metric.
  Metric metric = Metric::cosine;
};

// Scores the rows of these blocks for each query: shortlists of keep rows (fewer if there are
// fewer, more only with ties). The result does not depend on how blocks or queries are split: it is
// the top keep by (score, lower row).
std::vector<Shortlist> scan(const ScanRequest& request, const Queries& queries,
                            std::span<const BlockRun> blocks);

}  // namespace ff
