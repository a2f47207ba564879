// Sign bits row by row, for gathering: all of them, or those that the sign plane does not hold.
#pragma once

#include "arrays/aligned_buffer.hpp"
#include "planes/sign_plane.hpp"

namespace ff {

// A code is packed signs, padded to whole slices (64 dims, 8 bytes). Rows here leave out the first
// n_skipped slices of it: an index that keeps each bit once takes those from the plane. On 117,659
// x 1024 rows that is 128 bytes a row instead of 160, and 0.34 to 0.38 ms a query (bench/tiers.py)
// where a run with each bit twice took 0.35.
class SignRows {
 public:
  SignRows() = default;
  SignRows(std::size_t code_bytes, std::size_t n_skipped, std::size_t capacity)
      : is_built_(true),
        n_skipped_(n_skipped),
        stride_(code_bytes - 8 * n_skipped),
        bytes_(capacity * stride_) {}

  bool is_built() const { return is_built_; }
  std::size_t n_skipped() const { return n_skipped_; }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::size_t n_bytes() const { return bytes_.size(); }

  // A copy with room for more rows.
  SignRows grown(std::size_t capacity) const;
  // Writes rows [first, first + n_rows) from whole codes, code_stride bytes apart.
  void write(std::size_t first, std::size_t n_rows, const std::uint8_t* codes,
             std::size_t code_stride);
  // Writes the whole codes of these rows, one behind the other; plane has the slices left out.
  void gather(const SignPlane& plane, const std::uint32_t* rows, std::size_t n,
              std::uint8_t* out) const;

 private:
  bool is_built_ = false;
  std::size_t n_skipped_ = 0;
  std::size_t stride_ = 0;
  AlignedBuffer bytes_;
};

}  // namespace ff
