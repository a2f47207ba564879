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
};

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
  // worth; the length of (projection - what the codes say); the length of what lies outside. The
  // last two are upper bounds.
  BoundBlock block(std::size_t number) const {
    const std::size_t first = number * kBlockRows;
    return {cells_.data() + first * n_dims_, n_dims_, scales_.data() + first,
            errors_.data() + first, outside_.data() + first};
  }

  // Bounds the length of what float32 arithmetic adds to the projection of a vector of length 1:
  // each of its sums of dim products is off by at most dim * 2^-24 (Higham, section 3.1).
  static double rounding(const Basis& basis);

  std::size_t n_bytes() const;

 private:
  std::shared_ptr<const Basis> basis_;
  std::size_t n_dims_ = 0;  // directions, padded to whole groups of 4
  AlignedBuffer cells_;
  std::vector<float> scales_, errors_, outside_;
};

}  // namespace ff
