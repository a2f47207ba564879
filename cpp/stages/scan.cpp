#include "stages/scan.hpp"

#include <algorithm>
#include <cmath>

#include "stages/float_scan.hpp"
#include "stages/sign_stage.hpp"

namespace ff {

std::vector<std::vector<BlockRun>> split_blocks(const Corpus& corpus, std::size_t n_parts) {
  const std::size_t total = corpus.n_blocks();
  std::vector<std::vector<BlockRun>> parts(n_parts);
  std::size_t part = 0, taken = 0;  // blocks given out so far
  for (std::size_t s = 0; s < corpus.segments().size(); ++s) {
    const std::size_t n_blocks = corpus.segments()[s]->n_blocks();
    for (std::size_t first = 0; first < n_blocks;) {
      const std::size_t part_end = total * (part + 1) / n_parts;
      const std::size_t count = std::min(n_blocks - first, part_end - taken);
      if (count > 0) parts[part].push_back({s, first, count});
      first += count;
      taken += count;
      if (taken == part_end && part + 1 < n_parts) ++part;
    }
  }
  return parts;
}

std::vector<Shortlist> scan(const ScanRequest& request, const Queries& queries,
                            std::span<const BlockRun> blocks) {
  return request.stage.precision == Precision::b1 ? scan_signs(request, queries, blocks)
                                                  : scan_floats(request, queries, blocks);
}

}  // namespace ff
