#include "index/id_map.hpp"

#include <algorithm>
#include <functional>

namespace ff {

std::optional<Row> IdMap::search_sorted(std::int64_t id, Near& near) const {
  const auto& segments = corpus_.segments();
  const auto holds = [&](std::size_t s) {
    return segments[s]->id(0) <= id && id <= segments[s]->id(segments[s]->n_rows() - 1);
  };
  const auto begins_before = [&](std::size_t s) { return segments[s]->id(0) <= id; };
  if (sorted_.empty()) return std::nullopt;
  if (near.segment >= segments.size() || near.row == 0 || !holds(near.segment)) {
    const auto after = std::partition_point(sorted_.begin(), sorted_.end(), begins_before);
    if (after == sorted_.begin()) return std::nullopt;
    near = {*(after - 1), 0};
  }
  const Segment& segment = *segments[near.segment];
  std::size_t low = near.row < segment.n_rows() && segment.id(near.row) <= id ? near.row : 0;
  // Unique ids between two rows leave room for that many rows at most, and fill it if none is
  // missing.
  const auto room = static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(segment.id(low));
  std::size_t high = segment.n_rows();
  if (room < high - low) {
    high = low + static_cast<std::size_t>(room) + 1;
    if (segment.id(high - 1) == id) low = high - 1;
  }
  // In steps that double from the last row found, then by halves of the last step.
  std::size_t step = near.row == 0 ? segment.n_rows() : 1;
  while (low + step < high && segment.id(low + step) < id) {
    low += step;
    step *= 2;
  }
  high = std::min(high, low + step + 1);
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (segment.id(middle) < id)
      low = middle + 1;
    else
      high = middle;
  }
  near.row = low == 0 ? 0 : low - 1;
  if (low == segment.n_rows() || segment.id(low) != id || !segment.is_alive(low))
    return std::nullopt;
  return static_cast<Row>(near.segment * Segment::kMaxRows + low);
}

std::optional<Row> IdMap::find(std::int64_t id, Near& near) const {
  const auto found = rows_.find(id);
  if (found != rows_.end()) {
    const Row row = found->second;
    // A row that an upsert replaced stays here when the new one lies in a sorted segment.
    if (corpus_.segments()[row / Segment::kMaxRows]->is_alive(row % Segment::kMaxRows)) return row;
  }
  return search_sorted(id, near);
}

std::optional<Row> IdMap::find(std::int64_t id) const {
  Near near;
  return find(id, near);
}

std::optional<std::int64_t> IdMap::first_repeated(const std::int64_t* ids, std::size_t n) {
  if (std::adjacent_find(ids, ids + n, std::greater_equal<>()) == ids + n) return std::nullopt;
  std::vector<std::int64_t> sorted(ids, ids + n);
  std::size_t compared = 0;
  std::sort(sorted.begin(), sorted.end(), [&](std::int64_t a, std::int64_t b) {
    if (++compared % (16 * kIdsAtOnce) == 0) check_interrupt();
    return a < b;
  });
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  return twice == sorted.end() ? std::nullopt : std::optional(*twice);
}

std::optional<std::int64_t> IdMap::first_taken(const std::int64_t* ids, std::size_t n) const {
  for (std::size_t i = 0; highest_ && i < n; ++i) {
    if (i % kIdsAtOnce == 0) check_interrupt();
    if (ids[i] <= *highest_ && find(ids[i])) return ids[i];
  }
  return std::nullopt;
}

// The living rows of a segment from first_row on.
void IdMap::collect(std::size_t segment, std::size_t first_row, Rows& rows) const {
  const Segment& of = *corpus_.segments()[segment];
  for (std::size_t i = first_row; i < of.n_rows(); ++i) {
    if (i % kIdsAtOnce == 0) check_interrupt();
    if (of.is_alive(i)) rows[of.id(i)] = static_cast<Row>(segment * Segment::kMaxRows + i);
  }
}

// Whether the ids of a segment from first_row on increase, from the last row before them on.
bool IdMap::continues(std::size_t segment, std::size_t first_row,
                      const std::vector<std::size_t>& sorted) const {
  const Segment& of = *corpus_.segments()[segment];
  std::optional<std::int64_t> last;
  if (first_row > 0) {
    last = of.id(first_row - 1);
  } else if (!sorted.empty()) {
    const Segment& before = *corpus_.segments()[sorted.back()];
    last = before.id(before.n_rows() - 1);
  }
  for (std::size_t i = first_row; i < of.n_rows(); ++i) {
    if (last && of.id(i) <= *last) return false;
    last = of.id(i);
  }
  return true;
}

void IdMap::extend(Row first) {
  std::vector<std::size_t> sorted = sorted_;
  std::optional<std::int64_t> highest = highest_;
  Rows fresh;
  const auto& segments = corpus_.segments();
  for (std::size_t s = first / Segment::kMaxRows; s < segments.size(); ++s) {
    const std::size_t begin = s == first / Segment::kMaxRows ? first % Segment::kMaxRows : 0;
    if (begin == segments[s]->n_rows()) continue;
    for (std::size_t i = begin; i < segments[s]->n_rows(); ++i)
      highest = std::max(segments[s]->id(i), highest.value_or(INT64_MIN));
    const bool was_sorted = begin > 0 && !sorted.empty() && sorted.back() == s;
    if (begin > 0 && !was_sorted) {
      collect(s, begin, fresh);
    } else if (continues(s, begin, sorted)) {
      if (!was_sorted) sorted.push_back(s);
    } else {
      if (was_sorted) sorted.pop_back();
      collect(s, 0, fresh);
    }
  }
  // The hash table grows by doubling, whatever the standard library does with an exact reserve.
  if (const std::size_t size = rows_.size() + fresh.size();
      static_cast<float>(size) > rows_.max_load_factor() * static_cast<float>(rows_.bucket_count()))
    rows_.reserve(std::max(size, 2 * rows_.size()));

  // Nothing allocates or asks for interrupts from here on: a tenth of a microsecond a row.
  while (!fresh.empty()) {
    auto node = fresh.extract(fresh.begin());
    const Row row = node.mapped();
    const auto [place, inserted, old] = rows_.insert(std::move(node));
    if (!inserted) place->second = row;
  }
  sorted_ = std::move(sorted);
  highest_ = highest;
}

}  // namespace ff
