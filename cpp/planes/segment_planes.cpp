// The planes of a segment: which there are, and how they are built.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "arrays/float_rows.hpp"
#include "planes/segment.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

// Squares are summed in float64, so that norms are exact to float32 and no float32 overflows.
double sum_of_squares(const float* row, std::size_t begin, std::size_t end,
                      const Kernels& kernels) {
  return kernels.float64_dot.dot(row + begin, row + begin, end - begin);
}

// 0 for 0, and finite for the smallest numbers.
float inverse_root(double squares) {
  if (!(squares > 0)) return 0;
  return static_cast<float>(
      std::min(1 / std::sqrt(squares), static_cast<double>(std::numeric_limits<float>::max())));
}

// Rounded up, so that it stays a bound.
float relative_error(const float* row, const std::uint8_t* codes, std::size_t dim, float scale) {
  double errors[4] = {}, squares[4] = {};
  for (std::size_t d = 0; d < dim; ++d) {
    const double value = static_cast<double>(row[d]);
    const double error = value - static_cast<double>(scale) * (codes[d] - kInt8Zero);
    errors[d % 4] += error * error;
    squares[d % 4] += value * value;
  }
  const double length = squares[0] + squares[1] + squares[2] + squares[3];
  if (!(length > 0)) return 0;
  return static_cast<float>(std::sqrt((errors[0] + errors[1] + errors[2] + errors[3]) / length) *
                            (1 + 1e-6));
}

// The row at length 1; zero rows stay zero.
void unit_row(const float* row, std::size_t dim, const Kernels& kernels, float* out) {
  const double squares = sum_of_squares(row, 0, dim, kernels);
  const double inverse = squares > 0 ? 1 / std::sqrt(squares) : 0.0;
  for (std::size_t d = 0; d < dim; ++d)
    out[d] = static_cast<float>(static_cast<double>(row[d]) * inverse);
}

}  // namespace

void PlaneNeeds::add_norms(std::size_t dims) {
  if (std::find(norm_dims.begin(), norm_dims.end(), dims) == norm_dims.end())
    norm_dims.push_back(dims);
}

void PlaneNeeds::add(const PlaneNeeds& more) {
  sign_slices = std::max(sign_slices, more.sign_slices);
  sign_rows = sign_rows || more.sign_rows;
  int8_rows = int8_rows || more.int8_rows;
  int8_errors = int8_errors || more.int8_errors;
  copies = copies || more.copies;
  for (std::size_t dims : more.norm_dims) add_norms(dims);
  if (more.basis) basis = more.basis;
}

bool PlaneNeeds::none() const {
  return sign_slices == 0 && !sign_rows && !int8_rows && !int8_errors && !copies &&
         norm_dims.empty() && !basis;
}

PlaneNeeds Segment::built() const {
  PlaneNeeds needs;
  needs.sign_slices = sign_plane_.n_slices();
  needs.sign_rows = sign_rows_.is_built();
  needs.int8_rows = int8_rows() != nullptr;
  needs.int8_errors = !int8_errors_.empty();
  needs.copies = copies_.is_built();
  for (const auto& [dims, norms] : inverse_norms_) needs.norm_dims.push_back(dims);
  needs.basis = projection_.basis();
  return needs;
}

PlaneNeeds Segment::missing(const PlaneNeeds& needs) const {
  PlaneNeeds result;
  if (needs.sign_slices > sign_plane_.n_slices()) result.sign_slices = needs.sign_slices;
  result.sign_rows = needs.sign_rows && !sign_rows_.is_built();
  result.int8_rows = (needs.int8_rows || needs.int8_errors) && int8_rows() == nullptr;
  result.int8_errors = needs.int8_errors && int8_errors_.empty();
  result.copies = needs.copies && !copies_.is_built();
  for (std::size_t dims : needs.norm_dims)
    if (!inverse_norms_.contains(dims)) result.add_norms(dims);
  if (needs.basis != projection_.basis()) result.basis = needs.basis;
  return result;
}

bool Segment::has(const PlaneNeeds& needs) const { return missing(needs).none(); }

void Segment::require(const PlaneNeeds& needs, const Kernels& kernels, const std::string& name,
                      std::size_t first_row) {
  PlaneNeeds fresh = missing(needs);
  if (fresh.none()) return;
  take_stored(fresh);
  if (fresh.none()) return;
  try {
    if (fresh.sign_slices > 0) sign_plane_ = SignPlane(fresh.sign_slices, capacity_ / kBlockRows);
    if (fresh.sign_rows) sign_rows_ = new_sign_rows(sign_plane_.n_slices());
    if (fresh.int8_rows) int8_rows_ = AlignedBuffer(capacity_ * int8_row_stride(), kInt8Zero);
    if (fresh.basis) projection_ = Projection(fresh.basis, capacity_);
    if (fresh.copies) copies_.set_built(true);
    build(fresh, 0, n_rows(), kernels, name, first_row);
  } catch (...) {  // half a plane must not pass for a whole one
    drop(fresh);
    throw;
  }
}

SignRows Segment::new_sign_rows(std::size_t n_slices) const {
  return SignRows(sign_row_stride(), signs_once_ ? n_slices : 0, capacity_);
}

void Segment::keep(const PlaneNeeds& needs) {
  PlaneNeeds rest = built();
  // Rows are of no use without the slices that they leave out.
  const bool are_cut = sign_rows_.n_skipped() > needs.sign_slices;
  if (needs.sign_slices > 0 && needs.sign_slices < rest.sign_slices) {
    SignPlane fewer(needs.sign_slices, sign_plane_.n_blocks());
    fewer.copy_from(sign_plane_);
    sign_plane_ = std::move(fewer);
  }
  if (needs.sign_slices > 0) rest.sign_slices = 0;
  rest.sign_rows = rest.sign_rows && (!needs.sign_rows || are_cut);
  rest.int8_rows = rest.int8_rows && !needs.int8_rows && !needs.int8_errors;
  rest.int8_errors = rest.int8_errors && !needs.int8_errors;
  rest.copies = rest.copies && !needs.copies;
  std::erase_if(rest.norm_dims, [&](std::size_t dims) {
    return std::find(needs.norm_dims.begin(), needs.norm_dims.end(), dims) != needs.norm_dims.end();
  });
  if (rest.basis == needs.basis) rest.basis = nullptr;
  drop(rest);
}

void Segment::drop(const PlaneNeeds& needs) {
  if (needs.sign_slices > 0) sign_plane_ = SignPlane();
  if (needs.sign_rows) sign_rows_ = SignRows();
  if (needs.int8_rows) {
    int8_rows_ = AlignedBuffer();
    int8_map_ = FileMap();
    int8_scales_ = {};
  }
  if (needs.int8_errors) int8_errors_ = {};
  if (needs.copies) copies_.set_built(false);
  for (std::size_t dims : needs.norm_dims) inverse_norms_.erase(dims);
  if (needs.basis) projection_ = Projection();
}

void Segment::build(const PlaneNeeds& needs, std::size_t first, std::size_t end,
                    const Kernels& kernels, const std::string& name, std::size_t first_row) {
  const std::size_t code_stride = sign_row_stride();
  const bool signs = needs.sign_slices > 0 || needs.sign_rows;
  std::vector<std::uint8_t> codes(signs ? kBlockRows * code_stride : 0);
  std::vector<std::size_t> norm_dims = needs.norm_dims;
  std::sort(norm_dims.begin(), norm_dims.end());
  for (std::size_t dims : norm_dims) inverse_norms_[dims].resize(end);
  if (needs.int8_rows) int8_scales_.resize(end);
  if (needs.int8_errors) int8_errors_.resize(end);

  std::vector<float> unit_rows(needs.basis ? kBlockRows * dim() : 0);

  RowCopies::Finder copies(copies_, rows_);
  FloatRows reader(rows_, kernels);
  for (std::size_t start = first; start < end; start += kBlockRows) {
    check_interrupt();
    const std::size_t count = std::min(kBlockRows, end - start);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = start + i;
      const float* values = reader.row(row);
      double squares = 0;
      std::size_t summed = 0;
      for (std::size_t dims : norm_dims) {
        squares += sum_of_squares(values, summed, dims, kernels);
        summed = dims;
        inverse_norms_[dims][row] = inverse_root(squares);
      }
      // Owned rows were checked when they came; of others a stage may read more than the norms do.
      if (!owns_rows_) squares += sum_of_squares(values, summed, dim(), kernels);
      if (!std::isfinite(squares))
        throw std::invalid_argument(name + " must be finite, got nan or inf in row " +
                                    std::to_string(first_row + row));
      if (needs.copies) copies.look_at(row);
      if (needs.basis) unit_row(values, dim(), kernels, unit_rows.data() + i * dim());
      if (signs) kernels.encode.signs(values, dim(), codes.data() + i * code_stride);
      const std::size_t int8_at = row * int8_row_stride();
      if (needs.int8_rows)
        int8_scales_[row] =
            kernels.encode.int8(values, dim(), kInt8RowMax, int8_rows_.data() + int8_at);
      if (needs.int8_errors)
        int8_errors_[row] = relative_error(values, int8_rows() + int8_at, dim(), int8_scales_[row]);
    }
    if (needs.basis) projection_.write(start, count, unit_rows.data(), kernels);
    if (needs.sign_slices > 0) sign_plane_.write(start, count, codes.data(), code_stride);
    if (needs.sign_rows) sign_rows_.write(start, count, codes.data(), code_stride);
  }
}

std::size_t Segment::plane_bytes() const {
  std::size_t bytes = sign_plane_.n_bytes() + sign_rows_.n_bytes() + int8_rows_.size() +
                      (int8_scales_.size() + int8_errors_.size()) * sizeof(float) +
                      alive_.size() * 8 + ids_.size() * 8;
  for (const auto& [dims, norms] : inverse_norms_) bytes += norms.size() * sizeof(float);
  bytes += projection_.n_bytes() + copies_.n_bytes();
  return bytes;
}

}  // namespace ff
