#include "planes/segment.hpp"

#include <algorithm>
#include <cstring>

#include "arrays/float_rows.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

// Grown copy of a buffer whose first bytes stay.
AlignedBuffer grown(const AlignedBuffer& old, std::size_t size, std::uint8_t fill = 0) {
  AlignedBuffer fresh(size, fill);
  if (old.size() > 0) std::memcpy(fresh.data(), old.data(), std::min(size, old.size()));
  return fresh;
}

}  // namespace

Segment::Segment(std::size_t dim, Element element) {
  rows_.dim = dim;
  rows_.element = element;
  rows_.row_stride = static_cast<std::ptrdiff_t>(dim * element_bytes(element));
}

Segment Segment::borrow(const MatrixView& rows, std::int64_t first_id) {
  Segment segment(rows.dim, rows.element);
  segment.rows_ = rows;
  segment.owns_rows_ = false;
  segment.first_id_ = first_id;
  segment.capacity_ = segment.n_blocks() * kBlockRows;
  segment.mark_all_alive();
  return segment;
}

Segment Segment::from_codes(const CodeView& codes, std::int64_t first_id) {
  Segment segment(codes.n_bytes * 8, Element::f32);
  segment.rows_.n_rows = codes.n_rows;
  segment.first_id_ = first_id;
  segment.mark_all_alive();
  segment.sign_plane_ = SignPlane((codes.n_bytes + 7) / 8, segment.n_blocks());
  const std::size_t whole = segment.sign_row_stride();
  const bool pads = codes.n_bytes != whole || codes.row_stride < 0;
  std::vector<std::uint8_t> padded(pads ? kBlockRows * whole : 0);
  for (std::size_t start = 0; start < codes.n_rows; start += kBlockRows) {
    check_interrupt();
    const std::size_t count = std::min(kBlockRows, codes.n_rows - start);
    for (std::size_t i = 0; pads && i < count; ++i)
      std::memcpy(padded.data() + i * whole, codes.row(start + i), codes.n_bytes);
    segment.sign_plane_.write(start, count, pads ? padded.data() : codes.row(start),
                              pads ? whole : static_cast<std::size_t>(codes.row_stride));
  }
  return segment;
}

void Segment::mark_all_alive() {
  alive_.assign(n_blocks(), ~std::uint64_t{0});
  if (n_rows() % kBlockRows != 0) alive_.back() = (std::uint64_t{1} << (n_rows() % kBlockRows)) - 1;
  n_alive_ = n_rows();
}

// Room for as many rows in every array, or no change: all memory is there before any is replaced.
void Segment::reserve(std::size_t n_rows) {
  if (n_rows <= capacity_) return;
  std::size_t capacity = std::min(kMaxRows, std::max(n_rows, 2 * capacity_));
  capacity = (capacity + kBlockRows - 1) / kBlockRows * kBlockRows;
  AlignedBuffer owned = grown(owned_, capacity * static_cast<std::size_t>(rows_.row_stride));
  SignPlane sign_plane;
  if (sign_plane_.n_slices() > 0) {
    sign_plane = SignPlane(sign_plane_.n_slices(), capacity / kBlockRows);
    sign_plane.copy_from(sign_plane_);
  }
  SignRows sign_rows = sign_rows_.grown(capacity);
  AlignedBuffer int8_rows;
  if (int8_rows_.size() > 0) int8_rows = grown(int8_rows_, capacity * int8_row_stride(), kInt8Zero);
  Projection projection = projection_.grown(capacity);
  ids_.reserve(capacity);
  alive_.reserve(capacity / kBlockRows);

  owned_ = std::move(owned);
  rows_.data = reinterpret_cast<const std::byte*>(owned_.data());
  sign_plane_ = std::move(sign_plane);
  sign_rows_ = std::move(sign_rows);
  int8_rows_ = std::move(int8_rows);
  projection_ = std::move(projection);
  capacity_ = capacity;
}

void Segment::append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  const std::size_t first = n_rows();
  reserve(first + rows.n_rows);
  const auto row_bytes = static_cast<std::size_t>(rows_.row_stride);
  const bool as_they_are = rows.element == rows_.element && rows.file == nullptr;
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    if (i % kBlockRows == 0) check_interrupt();
    auto* out = reinterpret_cast<std::byte*>(owned_.data() + (first + i) * row_bytes);
    if (as_they_are)
      std::memcpy(out, rows.row(i), row_bytes);
    else
      narrow(reader.row(i), dim(), rows_.element, kernels, out);
  }
  ids_.insert(ids_.end(), ids, ids + rows.n_rows);
  rows_.n_rows += rows.n_rows;
  alive_.resize(n_blocks(), 0);
  for (std::size_t row = first; row < n_rows(); ++row)
    alive_[row / kBlockRows] |= std::uint64_t{1} << (row % kBlockRows);
  n_alive_ += rows.n_rows;
  try {
    build(built(), first, n_rows(), kernels, "vectors", 0);
  } catch (...) {
    truncate(first);
    throw;
  }
}

void Segment::truncate(std::size_t n_rows) {
  for (std::size_t row = n_rows; row < rows_.n_rows; ++row) remove(row);
  rows_.n_rows = n_rows;
  if (!ids_.empty()) ids_.resize(n_rows);
  alive_.resize(n_blocks());
  copies_.truncate(n_rows);
}

bool Segment::remove(std::size_t row) {
  if (!is_alive(row)) return false;
  alive_[row / kBlockRows] &= ~(std::uint64_t{1} << (row % kBlockRows));
  --n_alive_;
  return true;
}

void Segment::set_ids(const std::int64_t* ids) {
  ids_.assign(ids, ids + n_rows());
  forget_following_ids();
}

void Segment::forget_following_ids() {
  for (std::size_t i = 0; i < ids_.size(); ++i)
    if (ids_[i] != ids_[0] + static_cast<std::int64_t>(i)) return;
  if (ids_.empty()) return;
  first_id_ = ids_[0];
  ids_ = {};
}

void Segment::rebase(const MatrixView& rows, std::shared_ptr<const void> keeper) {
  rows_ = rows;
  owns_rows_ = false;
  keeper_ = std::move(keeper);
  owned_ = AlignedBuffer();
  forget_following_ids();
}

std::size_t Segment::float_bytes() const { return owned_.size(); }

}  // namespace ff
