// A shortlist in runs of rows that lie in one segment.
#pragma once

#include <algorithm>
#include <vector>

#include "stages/shortlist.hpp"
#include "threads/interrupt.hpp"

namespace ff {

inline constexpr std::size_t kRunRows = 1024;  // at most: between two looks at interrupts

// Calls each(segment, first position in the list, local row numbers).
template <class Each>
void for_runs(const Corpus& corpus, const Shortlist& list, const Each& each) {
  std::vector<std::uint32_t> local;
  for (std::size_t begin = 0; begin < list.size();) {
    check_interrupt();
    const std::size_t segment = list.rows[begin] / Segment::kMaxRows;
    local.clear();
    std::size_t end = begin;
    const std::size_t limit = std::min(list.size(), begin + kRunRows);
    for (; end < limit && list.rows[end] / Segment::kMaxRows == segment; ++end)
      local.push_back(list.rows[end] % Segment::kMaxRows);
    each(*corpus.segments()[segment], begin, local);
    begin = end;
  }
}

}  // namespace ff
