// How a segment takes codes from files instead of making them.
#include "planes/stored_codes.hpp"

#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "planes/segment.hpp"

namespace ff {
namespace {

// What scores are multiplied by must leave them numbers, whatever a damaged file says.
void check(const std::vector<float>& values, float most, const StoredArray& from) {
  for (const float value : values)
    if (!(value >= 0 && value <= most))
      throw std::invalid_argument(from.path.string() + " is damaged: it must hold 0 to " +
                                  std::to_string(most) + ", got " + std::to_string(value));
}

constexpr float kLargest = std::numeric_limits<float>::max();

}  // namespace

bool StoredArray::read(std::size_t n_bytes, void* out) const {
  if (path.empty()) return false;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(static_cast<char*>(out), static_cast<std::streamsize>(n_bytes));
  return file.good();
}

void Segment::take_stored(PlaneNeeds& needs) {
  if (needs.sign_rows || (needs.sign_slices > 0 && sign_rows_.size() == 0)) {
    AlignedBuffer rows(capacity_ * sign_row_stride());
    if (stored_.sign_rows.read(n_rows() * sign_row_stride(), rows.data())) {
      if (needs.sign_slices > 0) write_sign_plane(needs.sign_slices, rows.data());
      if (needs.sign_rows) sign_rows_ = std::move(rows);
      needs.sign_slices = 0;
      needs.sign_rows = false;
    }
  } else if (needs.sign_slices > 0) {
    write_sign_plane(needs.sign_slices, sign_rows_.data());
    needs.sign_slices = 0;
  }
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
    AlignedBuffer rows(capacity_ * int8_row_stride(), kInt8Zero);
    if (!stored_.int8_rows.read(n_rows() * int8_row_stride(), rows.data())) return;
    int8_rows_ = std::move(rows);
    int8_scales_ = std::move(scales);
    needs.int8_rows = false;
  }
  if (needs.int8_errors) int8_errors_ = std::move(errors);
  needs.int8_errors = false;
}

void Segment::write_sign_plane(std::size_t n_slices, const std::uint8_t* sign_rows) {
  SignPlane plane(n_slices, capacity_ / kBlockRows);
  plane.write(0, n_rows(), sign_rows, sign_row_stride());
  sign_plane_ = std::move(plane);
}

}  // namespace ff
