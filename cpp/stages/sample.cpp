#include "stages/sample.hpp"

#include <algorithm>
#include <cmath>

namespace ff {

std::size_t count_blocks(std::span<const BlockRun> blocks) {
  std::size_t total = 0;
  for (const BlockRun& run : blocks) total += run.count;
  return total;
}

std::vector<BlockRun> sample_blocks(std::span<const BlockRun> blocks, std::size_t n_blocks) {
  std::vector<BlockRun> sample;
  const std::size_t total = count_blocks(blocks);
  std::size_t before = 0;  // blocks of the runs passed
  for (const BlockRun& run : blocks) {
    while (sample.size() < n_blocks) {
      const std::size_t wanted = (2 * sample.size() + 1) * total / (2 * n_blocks);
      if (wanted >= before + run.count) break;
      sample.push_back({run.segment, run.first + wanted - before, 1});
    }
    before += run.count;
  }
  return sample;
}

std::vector<BlockRun> sample_for_thresholds(std::span<const BlockRun> blocks) {
  constexpr std::size_t kMostBlocks = 32, kShare = 32;
  return sample_blocks(blocks, std::min(kMostBlocks, count_blocks(blocks) / kShare));
}

std::size_t threshold_rank(std::size_t keep, std::size_t n_sampled, std::size_t n_rows) {
  if (n_sampled == 0) return 0;
  const double expected =
      static_cast<double>(keep) * static_cast<double>(n_sampled) / static_cast<double>(n_rows);
  return static_cast<std::size_t>(std::ceil(expected + 3.5 * std::sqrt(expected) + 2));
}

}  // namespace ff
