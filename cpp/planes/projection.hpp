// Rows seen along few directions, at int8, and how much of each lies outside of them.
//
// For unit vectors q and x and orthonormal directions V, with q' and x' what lies outside of them:
//   q.x = Vq.Vx + q'.x',  |q'.x'| <= |q'| |x'|   (Cauchy-Schwarz)
// so a short product bounds a long one, tightly if V are the rows' principal directions. Which V is
// given changes the speed of a search, never its answer.
#pragma once

#include <memory>
#include <vector>

#include "arrays/aligned_buffer.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

struct Basis {
  std::size_t n_directions = 0;
  std::size_t dim = 0;
  std::vector<float> directions;  // n_directions x dim
  double defect = 0;  // Frobenius norm of V V' - 1: how far the directions are from orthonormal
  // Bounds are looked at after so many directions: ascending, multiples of 4 but for the last,
  // which is n_directions.
  std::vector<std::size_t> steps;

  // Directions in whole groups of 4, as cells hold them.
  static std::size_t padded(std::size_t n) { return (n + 3) / 4 * 4; }
  BoundStep step(std::size_t s) const { return {s, s == 0 ? 0 : steps[s - 1], padded(steps[s])}; }
};

// Throws std::invalid_argument if the steps are not what they must be.
void check_steps(const Basis& basis);

class Projection {
 public:
  Projection() = default;
  Projection(std::shared_ptr<const Basis> basis, std::size_t capacity);

  const std::shared_ptr<const Basis>& basis() const { return basis_; }
  // A copy with room for more rows.
  Projection grown(std::size_t capacity) const;

  // Projects rows [first, first + n_rows), at most 64: contiguous, of length 1, or 0 for zero rows.
  void write(std::size_t first, std::size_t n_rows, const float* unit_rows, const Kernels& kernels);

  // In the layout of kernels/block_bound.hpp. Of a row of length 1: what a step of its codes is
  // worth; the length of (projection - what the codes say); the length of what lies outside of each
  // step's directions. The last two are upper bounds.
  BoundBlock block(std::size_t number) const {
    const std::size_t row = number * kBlockRows, n_first = basis_->step(0).end;
    const std::size_t n_later = Basis::padded(basis_->n_directions) - n_first;
    return {first_.data() + row * n_first,
            later_.data() + row * n_later,
            n_first,
            scales_.data() + row,
            errors_.data() + row,
            outside_.data() + row * basis_->steps.size()};
  }

  // Bounds the length of what float32 arithmetic adds to the projection of a vector of length 1, by
  // what kernels/inner_product.hpp says of each of its sums.
  static double rounding(const Basis& basis, const Kernels& kernels);

  std::size_t n_bytes() const;

 private:
  std::shared_ptr<const Basis> basis_;
  AlignedBuffer first_, later_;  // kernels/block_bound.hpp says how cells lie
  std::vector<float> scales_, errors_;
  std::vector<float> outside_;  // of a block: 64 for each step
};

}  // namespace ff
