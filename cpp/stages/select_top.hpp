// The best of many scores by counting, not by sorting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ff {

// Positions of the `keep` highest scores, ascending; among equal scores the lowest positions, or
// all of them with keep_ties (then more than `keep` may come back). All positions if n <= keep.
// Two passes over the scores: count into bins, collect; only the bin at the border is sorted. A sort
// or a heap of a thousand scores costs more than the scan that made them.
template <class Score>
void select_top(const Score* scores, std::size_t n, std::size_t keep, bool keep_ties,
                std::vector<std::uint32_t>& kept) {
  kept.clear();
  if (n <= keep) {
    for (std::size_t i = 0; i < n; ++i) kept.push_back(static_cast<std::uint32_t>(i));
    return;
  }
  constexpr std::size_t kBins = 1024;
  const auto [lowest, highest] = std::minmax_element(scores, scores + n);
  const float low = static_cast<float>(*lowest);
  const float range = static_cast<float>(*highest) - low;
  const float per_bin = range > 0 ? static_cast<float>(kBins - 1) / range : 0.0F;
  // Monotonic, so no score of a lower bin beats one of a higher bin.
  const auto bin_of = [=](Score score) {
    return static_cast<std::size_t>((static_cast<float>(score) - low) * per_bin);
  };
  std::uint32_t counts[kBins] = {};
  for (std::size_t i = 0; i < n; ++i) ++counts[bin_of(scores[i])];

  std::size_t border = kBins, above = 0;
  while (above + counts[border - 1] < keep) above += counts[--border];
  --border;  // bins over it hold fewer than keep scores, with it at least keep

  std::vector<Score> at_border;
  for (std::size_t i = 0; i < n; ++i)
    if (bin_of(scores[i]) == border) at_border.push_back(scores[i]);
  const auto last = at_border.begin() + static_cast<std::ptrdiff_t>(keep - above - 1);
  std::nth_element(at_border.begin(), last, at_border.end(), std::greater<Score>());
  const Score cut = *last;
  std::size_t ties = keep - above - static_cast<std::size_t>(std::count_if(
                                        at_border.begin(), at_border.end(),
                                        [cut](Score score) { return score > cut; }));
  for (std::size_t i = 0; i < n; ++i) {
    if (scores[i] < cut) continue;
    if (scores[i] == cut && !keep_ties) {
      if (ties == 0) continue;
      --ties;
    }
    kept.push_back(static_cast<std::uint32_t>(i));
  }
}

}  // namespace ff
