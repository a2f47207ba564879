#include "planes/corpus.hpp"

#include <algorithm>

#include "threads/thread_pool.hpp"

namespace ff {

Corpus Corpus::borrow(const MatrixView& rows) {
  Corpus corpus(rows.dim);
  for (std::size_t first = 0; first < rows.n_rows; first += Segment::kMaxRows) {
    const std::size_t count = std::min(Segment::kMaxRows, rows.n_rows - first);
    corpus.segments_.push_back(std::make_unique<Segment>(
        Segment::borrow(rows.rows(first, count), static_cast<std::int64_t>(first))));
  }
  return corpus;
}

Corpus Corpus::from_codes(const CodeView& codes, unsigned n_threads) {
  Corpus corpus(codes.n_bytes * 8);
  corpus.segments_.resize((codes.n_rows + Segment::kMaxRows - 1) / Segment::kMaxRows);
  parallel_for(corpus.segments_.size(), n_threads, [&](std::size_t s) {
    const std::size_t first = s * Segment::kMaxRows;
    const std::size_t count = std::min(Segment::kMaxRows, codes.n_rows - first);
    corpus.segments_[s] = std::make_unique<Segment>(
        Segment::from_codes(codes.rows(first, count), static_cast<std::int64_t>(first)));
  });
  return corpus;
}

std::size_t Corpus::n_rows() const {
  std::size_t total = 0;
  for (const auto& segment : segments_) total += segment->n_rows();
  return total;
}

void Corpus::append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  for (std::size_t done = 0; done < rows.n_rows;) {
    if (segments_.empty() || !segments_.back()->has_room())
      segments_.push_back(std::make_unique<Segment>(dim_));
    Segment& last = *segments_.back();
    const std::size_t count = std::min(Segment::kMaxRows - last.n_rows(), rows.n_rows - done);
    last.append(rows.rows(done, count), ids + done, kernels);
    done += count;
  }
}

void Corpus::adopt(const MatrixView& rows, const std::int64_t* ids) {
  for (std::size_t first = 0; first < rows.n_rows; first += Segment::kMaxRows) {
    const std::size_t count = std::min(Segment::kMaxRows, rows.n_rows - first);
    segments_.push_back(
        std::make_unique<Segment>(Segment::borrow(rows.rows(first, count), ids + first)));
  }
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

void Corpus::require(const PlaneNeeds& needs, const Kernels& kernels, unsigned n_threads,
                     const std::string& name) {
  parallel_for(segments_.size(), n_threads, [&](std::size_t s) {
    segments_[s]->require(needs, kernels, name, s * Segment::kMaxRows);
  });
}

}  // namespace ff
