#include "index/id_map.hpp"

#include <algorithm>
#include <vector>

namespace ff {

std::optional<Row> IdMap::search_sorted(std::int64_t id) const {
  const auto& segments = corpus_.segments();
  const auto after = std::partition_point(segments.begin(), segments.end(), [id](const auto& s) {
    return s->n_rows() > 0 && s->id(0) <= id;
  });
  if (after == segments.begin()) return std::nullopt;
  const auto position = static_cast<std::size_t>(after - segments.begin()) - 1;
  const Segment& segment = *segments[position];
  std::size_t low = 0, high = segment.n_rows();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (segment.id(middle) < id)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == segment.n_rows() || segment.id(low) != id) return std::nullopt;
  return static_cast<Row>(position * Segment::kMaxRows + low);
}

std::optional<Row> IdMap::find(std::int64_t id) const {
  if (increasing_) return search_sorted(id);
  const auto found = rows_.find(id);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> IdMap::first_duplicate(const std::int64_t* ids, std::size_t n) const {
  if (std::adjacent_find(ids, ids + n, std::greater_equal<>()) != ids + n) {
    std::vector<std::int64_t> sorted(ids, ids + n);
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) return *twice;
  } else if (n > 0 && (!last_ || (increasing_ && ids[0] > *last_))) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < n; ++i)
    if (find(ids[i])) return ids[i];
  return std::nullopt;
}

void IdMap::extend(Row first) {
  const auto& segments = corpus_.segments();
  const auto for_rows = [&](Row begin, const auto& each) {
    for (std::size_t s = begin / Segment::kMaxRows; s < segments.size(); ++s)
      for (std::size_t i = s == begin / Segment::kMaxRows ? begin % Segment::kMaxRows : 0;
           i < segments[s]->n_rows(); ++i)
        each(segments[s]->id(i), static_cast<Row>(s * Segment::kMaxRows + i));
  };
  const bool was_increasing = increasing_;
  for_rows(first, [&](std::int64_t id, Row) {
    if (last_ && id <= *last_) increasing_ = false;
    last_ = id;
  });
  if (increasing_) return;
  for_rows(was_increasing ? 0 : first, [&](std::int64_t id, Row row) { rows_[id] = row; });
}

}  // namespace ff
