#include "index/index.hpp"

#include <stdexcept>

#include "index/row_values.hpp"

namespace ff {

const Segment& Index::State::segment(std::size_t number) const {
  if (number >= corpus.segments().size())
    throw std::out_of_range("segment must be below " + std::to_string(corpus.segments().size()) +
                            ", got " + std::to_string(number));
  return *corpus.segments()[number];
}

std::size_t Index::size() const {
  const std::shared_lock lock(lock_);
  return state_->corpus.n_alive();
}

std::pair<std::size_t, std::uint64_t> Index::extent() const {
  const std::shared_lock lock(lock_);
  return {state_->corpus.n_alive(), n_written_};
}

bool Index::contains(std::int64_t id) const {
  const std::shared_lock lock(lock_);
  return state_->ids.find(id).has_value();
}

IndexSizes Index::sizes() const {
  const std::shared_lock lock(lock_);
  IndexSizes sizes;
  for (const auto& segment : state_->corpus.segments()) {
    sizes.float_bytes += segment->float_bytes();
    sizes.plane_bytes += segment->plane_bytes();
  }
  return sizes;
}

void Index::get(const std::int64_t* ids, std::size_t n, const Kernels& kernels, float* out) const {
  const std::shared_lock lock(lock_);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = state_->ids.find(ids[i]);
    if (!row) throw std::out_of_range("id " + std::to_string(ids[i]) + " is not in the index");
    rows.push_back(*row);
  }
  copy_floats(state_->corpus, rows, kernels, out);
}

std::vector<std::int64_t> Index::locate(const std::int64_t* ids, std::size_t n) const {
  const std::shared_lock lock(lock_);
  std::vector<std::int64_t> rows(n, -1);
  state_->ids.find_each(ids, n, [&](std::size_t i, Row row) { rows[i] = row; });
  return rows;
}

std::vector<std::int64_t> Index::ids() const {
  const std::shared_lock lock(lock_);
  std::vector<std::int64_t> all;
  all.reserve(state_->corpus.n_alive());
  for (const auto& segment : state_->corpus.segments())
    for (std::size_t i = 0; i < segment->n_rows(); ++i)
      if (segment->is_alive(i)) all.push_back(segment->id(i));
  return all;
}

std::size_t Index::n_segments() const {
  const std::shared_lock lock(lock_);
  return state_->corpus.segments().size();
}

SegmentContents Index::segment(std::size_t number) const {
  const std::shared_lock lock(lock_);
  const Segment& segment = state_->segment(number);
  SegmentContents contents{{}, segment.alive(), segment.owns_rows()};
  for (std::size_t i = 0; i < segment.n_rows(); ++i) contents.ids.push_back(segment.id(i));
  return contents;
}

void Index::segment_rows(std::size_t number, std::size_t first, std::size_t count,
                         const Kernels& kernels, std::byte* out) const {
  const std::shared_lock lock(lock_);
  const Segment& segment = state_->segment(number);
  if (first > segment.n_rows() || count > segment.n_rows() - first)
    throw std::out_of_range("rows must lie among the " + std::to_string(segment.n_rows()) +
                            " of the segment");
  copy_rows(segment.rows(), first, count, format_.floats, kernels, out);
}

}  // namespace ff
