#include "planes/projection.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace ff {
namespace {

constexpr std::size_t kDirectionsAtOnce = 64;
constexpr double kUp = 1 + 1e-6;  // what a double loses when it becomes a float

}  // namespace

void check_steps(const Basis& basis) {
  std::size_t before = 0;
  bool good = true;
  for (std::size_t end : basis.steps) {
    good = good && end > before && before % 4 == 0;
    before = end;
  }
  if (!good || before != basis.n_directions)
    throw std::invalid_argument(
        "steps must ascend to the number of directions, all but the last multiples of 4");
}

Projection::Projection(std::shared_ptr<const Basis> basis, std::size_t capacity)
    : basis_(std::move(basis)),
      first_(capacity * basis_->step(0).end, kInt8Zero),
      later_(capacity * (Basis::padded(basis_->n_directions) - basis_->step(0).end), kInt8Zero),
      scales_(capacity),
      errors_(capacity),
      outside_(capacity * basis_->steps.size()) {}

Projection Projection::grown(std::size_t capacity) const {
  if (!basis_) return {};
  Projection larger(basis_, capacity);
  if (first_.size() > 0) std::memcpy(larger.first_.data(), first_.data(), first_.size());
  if (later_.size() > 0) std::memcpy(larger.later_.data(), later_.data(), later_.size());
  std::copy(scales_.begin(), scales_.end(), larger.scales_.begin());
  std::copy(errors_.begin(), errors_.end(), larger.errors_.begin());
  std::copy(outside_.begin(), outside_.end(), larger.outside_.begin());
  return larger;
}

double Projection::rounding(const Basis& basis, const Kernels& kernels) {
  const double products = static_cast<double>(basis.dim / kernels.inner_product.lanes + 1);
  constexpr double kMargin = 16 + 8;  // adding up; the vector's own rounding to length 1
  return (products + kMargin) * std::ldexp(1.0, -24) *
         std::sqrt(static_cast<double>(basis.n_directions));
}

void Projection::write(std::size_t first, std::size_t n_rows, const float* unit_rows,
                       const Kernels& kernels) {
  const std::size_t count = basis_->n_directions, dim = basis_->dim;
  const double rounding = Projection::rounding(*basis_, kernels);
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
    const std::size_t block = row / kBlockRows, in_block = row % kBlockRows;
    const std::size_t n_first = basis_->step(0).end, n_later = Basis::padded(count) - n_first;
    float* outside = outside_.data() + block * kBlockRows * basis_->steps.size() + in_block;
    double squares = 0, errors = 0;
    for (std::size_t s = 0; s < basis_->steps.size(); ++s) {
      const BoundStep step = basis_->step(s);
      std::uint8_t* cells = s == 0 ? first_.data() + block * kBlockRows * n_first
                                   : later_.data() + block * kBlockRows * n_later +
                                         (step.begin - n_first) * kBlockRows;
      for (std::size_t j = step.begin; j < basis_->steps[s]; ++j) {
        cells[bound_cell(step, j, in_block)] = codes[j];
        const auto value = static_cast<double>(values[j]);
        const double error = value - static_cast<double>(scale) * (codes[j] - kInt8Zero);
        squares += value * value;
        errors += error * error;
      }
      const double inside = std::max(0.0, std::sqrt(squares) - rounding);
      const double left = 1 - inside * inside + 2 * basis_->defect;
      *outside = static_cast<float>(std::sqrt(std::max(0.0, left)) * kUp);
      outside += kBlockRows;
    }
    scales_[row] = scale;
    errors_[row] = static_cast<float>((std::sqrt(errors) + rounding) * kUp);
  }
}

std::size_t Projection::n_bytes() const {
  return first_.size() + later_.size() +
         (scales_.size() + errors_.size() + outside_.size()) * sizeof(float);
}

}  // namespace ff
