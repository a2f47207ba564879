// The best of many scores by counting, not by sorting.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
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

// The integer that stands where a float stands among floats, and back: negative floats count
// their bits downwards. What is no number, as only files hold it, comes before all others.
inline std::int32_t order_of(float score) {
  constexpr float kFirst = -std::numeric_limits<float>::infinity();
  const auto bits = std::bit_cast<std::int32_t>(score == score ? score + 0.0F : kFirst);  // no -0
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
inline float float_at(std::int32_t order) {
  return std::bit_cast<float>(order ^ ((order >> 31) & 0x7fffffff));
}

// How many of n scores are at least `least`, counted in lanes as narrow as the scores.
template <class Integer>
std::size_t count_at_least(const Integer* scores, std::size_t n, Integer least) {
  using Count = std::make_unsigned_t<Integer>;
  constexpr std::size_t kAtOnce = std::numeric_limits<Count>::max();
  std::size_t total = 0;
  for (std::size_t begin = 0; begin < n; begin += kAtOnce) {
    const std::size_t end = std::min(n, begin + kAtOnce);
    Count count = 0;
    for (std::size_t i = begin; i < end; ++i)
      count = static_cast<Count>(count + (scores[i] >= least));
    total += count;
  }
  return total;
}

// 1 <= keep <= n. By halving the range of the scores, until what lies above is the top keep: a pass
// compares as many at once as fit a register. Counting into bins, one by one, and sorting the bin
// at the border took twice as long for 2,048 16-bit scores and for 471 floats; a heap or a sort of
// a thousand scores costs more than the scan that made them.
template <class Integer>
Cut<Integer> find_cut(const Integer* scores, std::size_t n, std::size_t keep) {
  constexpr std::int64_t kFew = 64;  // scores, which six passes tell apart
  Integer lowest = scores[0], highest = scores[0];
  for (std::size_t i = 1; i < n; ++i) {
    lowest = std::min(lowest, scores[i]);
    highest = std::max(highest, scores[i]);
  }
  // low: at least keep scores reach it. high: fewer do, n_high of them.
  std::int64_t low = lowest, high = std::int64_t{highest} + 1;
  std::size_t n_high = 0;
  while (high - low > 1) {
    const std::int64_t middle = (low + high) >> 1;
    const std::size_t count = count_at_least(scores, n, static_cast<Integer>(middle));
    if (count < keep) {
      high = middle;
      n_high = count;
      continue;
    }
    low = middle;
    if (count == keep && high - low > kFew) {  // the lowest of those that reach it ends them
      Integer last = highest;
      for (std::size_t i = 0; i < n; ++i)
        last = scores[i] < static_cast<Integer>(middle) ? last : std::min(last, scores[i]);
      low = last;
      n_high = last == highest ? 0 : count_at_least(scores, n, static_cast<Integer>(last + 1));
      break;
    }
  }
  return {static_cast<Integer>(low), keep - n_high};
}

inline Cut<float> find_cut(const float* scores, std::size_t n, std::size_t keep) {
  thread_local std::vector<std::int32_t> orders;
  orders.resize(std::max(orders.size(), n));
  for (std::size_t i = 0; i < n; ++i) orders[i] = order_of(scores[i]);
  const Cut<std::int32_t> cut = find_cut(orders.data(), n, keep);
  return {float_at(cut.score), cut.ties};
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
