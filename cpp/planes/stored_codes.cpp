// How a segment takes codes from files instead of making them.
#include "planes/stored_codes.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "planes/segment.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

// What scores are multiplied by must leave them numbers, whatever a damaged file says.
void check(const std::vector<float>& values, float most, const StoredArray& from) {
  for (const float value : values)
    if (!(value >= 0 && value <= most))
      throw std::invalid_argument(from.path.string() + " is damaged: it must hold 0 to " +
                                  std::to_string(most) + ", got " + std::to_string(value));
}

constexpr std::size_t kRowsAtOnce = 4096;  // so that little is held beside the planes
constexpr float kLargest = std::numeric_limits<float>::max();

}  // namespace

bool StoredArray::read(std::size_t begin, std::size_t n_bytes, void* out) const {
  if (path.empty()) return false;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset + begin));
  file.read(static_cast<char*>(out), static_cast<std::streamsize>(n_bytes));
  return file.good();
}

FileMap StoredArray::map(std::size_t n_bytes) const {
  if (path.empty() || offset % kCacheLine != 0) return {};
  return {path, offset, n_bytes};
}

void Segment::take_stored(PlaneNeeds& needs) {
  // Looking for copies would read every float, which is what codes in files are to spare; a copy
  // that is not known costs a score.
  if (needs.copies && (rows_.file != nullptr || !stored_.sign_rows.path.empty())) {
    copies_.set_built(true);
    needs.copies = false;
  }
  if (needs.sign_slices > 0 || needs.sign_rows) take_stored_signs(needs);
  if (needs.int8_rows || needs.int8_errors) take_stored_int8(needs);
  const std::size_t n_norms = stored_.norm_dims.size();
  std::vector<float> norms(needs.norm_dims.empty() ? 0 : n_rows() * n_norms);
  if (norms.empty() || !stored_.inverse_norms.read(norms)) return;
  check(norms, kLargest, stored_.inverse_norms);
  for (std::size_t at = 0; at < n_norms; ++at) {
    if (std::erase(needs.norm_dims, stored_.norm_dims[at]) == 0) continue;
    std::vector<float> of_dims(n_rows());
    for (std::size_t i = 0; i < n_rows(); ++i) of_dims[i] = norms[i * n_norms + at];
    inverse_norms_[stored_.norm_dims[at]] = std::move(of_dims);
  }
}

void Segment::take_stored_int8(PlaneNeeds& needs) {
  std::vector<float> pairs(2 * n_rows()), scales(n_rows()), errors(n_rows());
  if (!stored_.int8_scales.read(pairs)) return;
  for (std::size_t i = 0; i < n_rows(); ++i) {
    scales[i] = pairs[2 * i];
    errors[i] = pairs[2 * i + 1];
  }
  check(scales, kLargest / kInt8RowMax, stored_.int8_scales);
  check(errors, 1, stored_.int8_scales);
  if (needs.int8_rows) {
    const std::size_t n_bytes = n_rows() * int8_row_stride();
    // Where floats stay in their file, memory is what is short: a quarter of their bytes does too.
    if (rows_.file != nullptr) int8_map_ = stored_.int8_rows.map(n_bytes);
    if (int8_map_.is_empty()) {
      AlignedBuffer rows(capacity_ * int8_row_stride(), kInt8Zero);
      if (!stored_.int8_rows.read(0, n_bytes, rows.data())) return;
      int8_rows_ = std::move(rows);
    }
    int8_scales_ = std::move(scales);
    needs.int8_rows = false;
  }
  if (needs.int8_errors) int8_errors_ = std::move(errors);
  needs.int8_errors = false;
}

void Segment::take_stored_signs(PlaneNeeds& needs) {
  const std::size_t n_slices = std::max(needs.sign_slices, sign_plane_.n_slices());
  SignPlane plane;
  SignRows rows;
  if (needs.sign_slices > 0) plane = SignPlane(n_slices, capacity_ / kBlockRows);
  if (needs.sign_rows) rows = new_sign_rows(n_slices);
  std::vector<std::uint8_t> codes(std::min(n_rows(), kRowsAtOnce) * sign_row_stride());
  for (std::size_t first = 0; first < n_rows(); first += kRowsAtOnce) {
    check_interrupt();
    const std::size_t count = std::min(kRowsAtOnce, n_rows() - first);
    const std::size_t begin = first * sign_row_stride();
    if (!stored_.sign_rows.read(begin, count * sign_row_stride(), codes.data())) return;
    if (needs.sign_slices > 0) plane.write(first, count, codes.data(), sign_row_stride());
    if (needs.sign_rows) rows.write(first, count, codes.data(), sign_row_stride());
  }
  if (needs.sign_slices > 0) sign_plane_ = std::move(plane);
  if (needs.sign_rows) sign_rows_ = std::move(rows);
  needs.sign_slices = 0;
  needs.sign_rows = false;
}

}  // namespace ff
