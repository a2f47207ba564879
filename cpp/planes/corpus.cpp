#include "planes/corpus.hpp"

#include <algorithm>
#include <stdexcept>

#include "threads/thread_pool.hpp"

namespace ff {
namespace {

std::size_t segments_for(std::size_t n_rows) {
  return (n_rows + Segment::kMaxRows - 1) / Segment::kMaxRows;
}

}  // namespace

Corpus Corpus::borrow(const MatrixView& rows) {
  Corpus corpus(rows.dim);
  corpus.check_room(segments_for(rows.n_rows));
  for (std::size_t first = 0; first < rows.n_rows; first += Segment::kMaxRows) {
    const std::size_t count = std::min(Segment::kMaxRows, rows.n_rows - first);
    corpus.segments_.push_back(std::make_shared<Segment>(
        Segment::borrow(rows.rows(first, count), static_cast<std::int64_t>(first))));
  }
  return corpus;
}

Corpus Corpus::from_codes(const CodeView& codes, unsigned n_threads) {
  Corpus corpus(codes.n_bytes * 8);
  corpus.check_room(segments_for(codes.n_rows));
  corpus.segments_.resize(segments_for(codes.n_rows));
  parallel_for(corpus.segments_.size(), n_threads, [&](std::size_t s) {
    const std::size_t first = s * Segment::kMaxRows;
    const std::size_t count = std::min(Segment::kMaxRows, codes.n_rows - first);
    corpus.segments_[s] = std::make_shared<Segment>(
        Segment::from_codes(codes.rows(first, count), static_cast<std::int64_t>(first)));
  });
  return corpus;
}

std::size_t Corpus::n_rows() const {
  std::size_t total = 0;
  for (const auto& segment : segments_) total += segment->n_rows();
  return total;
}

std::size_t Corpus::n_alive() const {
  std::size_t total = 0;
  for (const auto& segment : segments_) total += segment->n_alive();
  return total;
}

std::size_t Corpus::n_blocks() const {
  std::size_t total = 0;
  for (const auto& segment : segments_) total += segment->n_blocks();
  return total;
}

void Corpus::check_room(std::size_t n_segments) const {
  if (segments_.size() + n_segments > kMaxSegments)
    throw std::length_error("rows must fit in " + std::to_string(kMaxSegments) + " segments of " +
                            std::to_string(Segment::kMaxRows) + " rows, got " +
                            std::to_string(segments_.size() + n_segments) + " segments");
}

void Corpus::append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  const bool has_room = !segments_.empty() && segments_.back()->has_room();
  const std::size_t in_last =
      has_room ? std::min(rows.n_rows, Segment::kMaxRows - segments_.back()->n_rows()) : 0;
  check_room(segments_for(rows.n_rows - in_last));
  std::vector<std::shared_ptr<Segment>> fresh;
  for (std::size_t done = in_last; done < rows.n_rows;) {
    const std::size_t count = std::min(Segment::kMaxRows, rows.n_rows - done);
    fresh.push_back(std::make_shared<Segment>(dim_, format_.floats));
    fresh.back()->keep_signs_once(format_.signs_once);
    fresh.back()->append(rows.rows(done, count), ids + done, kernels);
    done += count;
  }
  segments_.reserve(segments_.size() + fresh.size());
  if (in_last > 0) segments_.back()->append(rows.rows(0, in_last), ids, kernels);
  segments_.insert(segments_.end(), fresh.begin(), fresh.end());
}

void Corpus::adopt(const MatrixView& rows, const std::int64_t* ids,
                   const std::shared_ptr<const void>& keeper) {
  check_room(segments_for(rows.n_rows));
  std::vector<std::shared_ptr<Segment>> fresh;
  for (std::size_t first = 0; first < rows.n_rows; first += Segment::kMaxRows) {
    const std::size_t count = std::min(Segment::kMaxRows, rows.n_rows - first);
    fresh.push_back(std::make_shared<Segment>(Segment::borrow(rows.rows(first, count), 0)));
    fresh.back()->keep_signs_once(format_.signs_once);
    fresh.back()->set_ids(ids + first);
    fresh.back()->set_keeper(keeper);
  }
  segments_.insert(segments_.end(), fresh.begin(), fresh.end());
}

void Corpus::truncate(Row end) {
  const std::size_t segment = end / Segment::kMaxRows, rows = end % Segment::kMaxRows;
  if (segment >= segments_.size()) return;
  if (rows > 0) segments_[segment]->truncate(rows);
  segments_.resize(segment + (rows > 0 ? 1 : 0));
}

bool Corpus::remove(Row row) {
  return segments_[row / Segment::kMaxRows]->remove(row % Segment::kMaxRows);
}

void Corpus::seal() {
  if (!segments_.empty()) segments_.back()->seal();
}

void Corpus::rebase(std::size_t segment, const MatrixView& rows,
                    std::shared_ptr<const void> keeper) {
  segments_[segment]->rebase(rows, std::move(keeper));
}

void Corpus::set_codes(std::size_t segment, StoredCodes codes) {
  segments_[segment]->set_codes(std::move(codes));
}

Corpus Corpus::compacted(const Kernels& kernels, unsigned n_threads) const {
  Corpus result(dim_, format_);
  result.basis_ = basis_;
  std::vector<std::shared_ptr<Segment>> copies;
  std::vector<std::int64_t> ids;
  for (const auto& segment : segments_) {
    // What is shared is read by searches meanwhile, so nothing may be appended to it.
    const bool shared = segment->n_alive() == segment->n_rows() &&
                        (!segment->has_room() || segment == segments_.back());
    if (shared) {
      result.segments_.push_back(segment);
      continue;
    }
    for (std::size_t begin = 0, end; begin < segment->n_rows(); begin = end) {
      const bool alive = segment->is_alive(begin);
      ids.clear();
      for (end = begin; end < segment->n_rows() && segment->is_alive(end) == alive; ++end)
        ids.push_back(segment->id(end));
      if (!alive) continue;
      result.append(segment->rows().rows(begin, end - begin), ids.data(), kernels);
      if (copies.empty() || copies.back() != result.segments_.back())
        copies.push_back(result.segments_.back());
    }
  }
  for (const auto& segment : segments_) {
    const PlaneNeeds needs = segment->built();
    parallel_for(copies.size(), n_threads,
                 [&](std::size_t i) { copies[i]->require(needs, kernels, "rows", 0); });
  }
  return result;
}

Row Corpus::next_row() const {
  const bool new_segment = segments_.empty() || !segments_.back()->has_room();
  return static_cast<Row>(new_segment ? segments_.size() * Segment::kMaxRows
                                      : (segments_.size() - 1) * Segment::kMaxRows +
                                            segments_.back()->n_rows());
}

bool Corpus::has(const PlaneNeeds& needs) const {
  return std::all_of(segments_.begin(), segments_.end(),
                     [&](const auto& segment) { return segment->has(needs); });
}

void Corpus::keep(const PlaneNeeds& needs) {
  for (const auto& segment : segments_) segment->keep(needs);
}

void Corpus::require(const PlaneNeeds& needs, const Kernels& kernels, unsigned n_threads,
                     const std::string& name) {
  parallel_for(segments_.size(), n_threads, [&](std::size_t s) {
    segments_[s]->require(needs, kernels, name, s * Segment::kMaxRows);
  });
}

}  // namespace ff
