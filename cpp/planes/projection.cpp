#include "planes/projection.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kDirectionsAtOnce = 64;
constexpr double kUp = 1 + 1e-6;  // what a double loses when it becomes a float

}  // namespace

Projection::Projection(std::shared_ptr<const Basis> basis, std::size_t capacity)
    : basis_(std::move(basis)),
      n_dims_((basis_->n_directions + 3) / 4 * 4),
      cells_(capacity * n_dims_, kInt8Zero),
      scales_(capacity),
      errors_(capacity),
      outside_(capacity) {}

Projection Projection::grown(std::size_t capacity) const {
  if (!basis_) return {};
  Projection larger(basis_, capacity);
  if (cells_.size() > 0) std::memcpy(larger.cells_.data(), cells_.data(), cells_.size());
  std::copy(scales_.begin(), scales_.end(), larger.scales_.begin());
  std::copy(errors_.begin(), errors_.end(), larger.errors_.begin());
  std::copy(outside_.begin(), outside_.end(), larger.outside_.begin());
  return larger;
}

double Projection::rounding(const Basis& basis) {
  const auto n = static_cast<double>(basis.dim + 20);
  return n * std::ldexp(1.0, -24) * std::sqrt(static_cast<double>(basis.n_directions));
}

void Projection::write(std::size_t first, std::size_t n_rows, const float* unit_rows,
                       const Kernels& kernels) {
  const std::size_t count = basis_->n_directions, dim = basis_->dim;
  const double rounding = Projection::rounding(*basis_);
  std::vector<float> sums(kDirectionsAtOnce * kBlockRows), projected(n_rows * count);
  for (std::size_t j = 0; j < count; j += kDirectionsAtOnce) {
    const std::size_t some = std::min(kDirectionsAtOnce, count - j);
    kernels.inner_product.scan(basis_->directions.data() + j * dim, dim, some, unit_rows,
                               static_cast<std::ptrdiff_t>(dim * sizeof(float)), n_rows, dim,
                               sums.data(), kBlockRows);
    for (std::size_t i = 0; i < n_rows; ++i)
      for (std::size_t u = 0; u < some; ++u)
        projected[i * count + j + u] = sums[u * kBlockRows + i];
  }
  std::vector<std::uint8_t> codes(count);
  for (std::size_t i = 0; i < n_rows; ++i) {
    const float* values = projected.data() + i * count;
    const float scale = kernels.encode.int8(values, count, kInt8RowMax, codes.data());
    const std::size_t row = first + i;
    std::uint8_t* lane =
        cells_.data() + row / kBlockRows * kBlockRows * n_dims_ + row % kBlockRows * 4;
    for (std::size_t j = 0; j < count; ++j) lane[j / 4 * 4 * kBlockRows + j % 4] = codes[j];
    double squares = 0, errors = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const auto value = static_cast<double>(values[j]);
      const double error = value - static_cast<double>(scale) * (codes[j] - kInt8Zero);
      squares += value * value;
      errors += error * error;
    }
    const double inside = std::max(0.0, std::sqrt(squares) - rounding);
    const double outside = 1 - inside * inside + 2 * basis_->defect;
    scales_[row] = scale;
    errors_[row] = static_cast<float>((std::sqrt(errors) + rounding) * kUp);
    outside_[row] = static_cast<float>(std::sqrt(std::max(0.0, outside)) * kUp);
  }
}

std::size_t Projection::n_bytes() const {
  return cells_.size() + (scales_.size() + errors_.size() + outside_.size()) * sizeof(float);
}

}  // namespace ff
