// The best of many scores by counting, not by sorting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

namespace ff {

// Where the top `keep` of some scores end.
template <class Score>
struct Cut {
  Score score;       // the keep-th highest
  std::size_t ties;  // how many that equal it belong to the top keep
};

// How many of n <= 65535 16-bit scores are at least `least`, in lanes as narrow as the scores.
inline std::size_t count_at_least(const std::uint16_t* scores, std::size_t n, std::uint16_t least) {
  std::uint16_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    count = static_cast<std::uint16_t>(count + (scores[i] >= least));
  return count;
}

// 1 <= keep <= n. By halving the range of the scores: a pass compares 8 at once, where counting
// into bins takes them one by one (2,048 scores: 1.1 us, 2.2 by bins).
inline Cut<std::uint16_t> find_cut(const std::uint16_t* scores, std::size_t n, std::size_t keep) {
  constexpr std::size_t kAtOnce = 65535;
  const auto at_least = [=](std::uint16_t least) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; i += kAtOnce)
      count += count_at_least(scores + i, std::min(kAtOnce, n - i), least);
    return count;
  };
  // low: at least keep scores reach it. high: fewer do, n_high of them.
  std::uint16_t lowest = scores[0], highest = scores[0];
  for (std::size_t i = 1; i < n; ++i) {
    lowest = std::min(lowest, scores[i]);
    highest = std::max(highest, scores[i]);
  }
  std::uint32_t low = lowest, high = highest + 1U;
  std::size_t n_high = 0;
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    const std::size_t count = at_least(static_cast<std::uint16_t>(middle));
    if (count >= keep) {
      low = middle;
    } else {
      high = middle;
      n_high = count;
    }
  }
  return {static_cast<std::uint16_t>(low), keep - n_high};
}

// 1 <= keep <= n. One pass counts into bins; only the bin at the border is looked at closer. A heap
// or a sort of a thousand scores costs more than the scan that made them. Scores that are no
// numbers or infinite, as only files make them that hold what cannot be added, fall into any bin
// there is.
template <class Score>
Cut<Score> find_cut(const Score* scores, std::size_t n, std::size_t keep) {
  constexpr std::size_t kBins = 512;
  Score lowest = scores[0], highest = scores[0];
  for (std::size_t i = 1; i < n; ++i) {
    lowest = std::min(lowest, scores[i]);
    highest = std::max(highest, scores[i]);
  }
  const float low = static_cast<float>(lowest);
  const float range = static_cast<float>(highest) - low;
  float per_bin = range > 0 ? static_cast<float>(kBins - 1) / range : 0.0F;
  if (std::is_integral_v<Score>) per_bin = std::min(per_bin, 1.0F);
  if (!(per_bin < 1e30F)) per_bin = 0;  // a range too small to divide by: one bin for all
  // Monotonic, so no score of a lower bin beats one of a higher bin.
  const auto bin_of = [=](Score score) {
    const float bin = (static_cast<float>(score) - low) * per_bin;
    constexpr float kLast = kBins - 1;
    return static_cast<std::size_t>(
        static_cast<std::int32_t>(bin > 0 ? (bin < kLast ? bin : kLast) : 0.0F));
  };
  std::uint32_t counts[kBins] = {};
  for (std::size_t i = 0; i < n; ++i) ++counts[bin_of(scores[i])];
  std::size_t border = kBins - 1, above = 0;
  while (above + counts[border] < keep) above += counts[border--];

  const std::size_t wanted = keep - above;  // of the border's bin
  if (std::is_integral_v<Score> && per_bin == 1.0F)
    return {static_cast<Score>(lowest + static_cast<Score>(border)), wanted};
  std::vector<Score> at_border;
  for (std::size_t i = 0; i < n; ++i)
    if (bin_of(scores[i]) == border)  // what is no number has no order
      at_border.push_back(scores[i] == scores[i] ? scores[i]
                                                 : std::numeric_limits<Score>::lowest());
  const auto last = at_border.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::nth_element(at_border.begin(), last, at_border.end(), std::greater<Score>());
  const Score score = *last;
  const auto better =
      std::count_if(at_border.begin(), last, [score](Score other) { return other > score; });
  return {score, wanted - static_cast<std::size_t>(better)};
}

// Positions of the `keep` highest scores, ascending; among equal scores the lowest positions, or
// all of them with keep_ties (then more than `keep` may come back). All positions if n <= keep.
template <class Score>
void select_top(const Score* scores, std::size_t n, std::size_t keep, bool keep_ties,
                std::vector<std::uint32_t>& kept) {
  kept.resize(n);
  std::size_t count = 0;
  if (n <= keep) {
    for (; count < n; ++count) kept[count] = static_cast<std::uint32_t>(count);
    return;
  }
  const Cut<Score> cut = find_cut(scores, n, keep);
  std::size_t ties = keep_ties ? n : cut.ties;
  for (std::size_t i = 0; i < n; ++i) {  // without branches: which scores pass is not predictable
    const bool tie = (scores[i] == cut.score) & (ties > 0);
    ties -= tie;
    kept[count] = static_cast<std::uint32_t>(i);
    count += (scores[i] > cut.score) | tie;
  }
  kept.resize(count);
}

}  // namespace ff
