// Sign bits in scan order: blocks of 64 rows, byte-major cells, one slice for every 64 dims.
#pragma once

#include "arrays/aligned_buffer.hpp"
#include "kernels/sign_scan.hpp"

namespace ff {

// The layout is stated in kernels/sign_scan.hpp. A plane of n_slices slices answers for every
// prefix up to n_slices * 64 dims.
class SignPlane {
 public:
  SignPlane() = default;
  SignPlane(std::size_t n_slices, std::size_t n_blocks);

  std::size_t n_slices() const { return n_slices_; }
  std::size_t n_blocks() const { return n_blocks_; }
  std::size_t n_bytes() const { return cells_.size(); }

  // Writes rows [first, first + n_rows) from row-major packed codes, code_stride bytes apart, at
  // least n_slices * 8 bytes each.
  void write(std::size_t first, std::size_t n_rows, const std::uint8_t* codes,
             std::size_t code_stride);
  // Copies the cells of the blocks that both planes have, slices likewise.
  void copy_from(const SignPlane& other);

  // Blocks [first, first + count), their rows numbered from first_row; alive as in SignBlocks.
  SignBlocks blocks(std::size_t first, std::size_t count, std::size_t n_slices,
                    const std::uint64_t* alive, std::uint32_t first_row) const;

 private:
  std::size_t slice_stride() const { return n_blocks_ * kCellBytes; }

  std::size_t n_slices_ = 0;
  std::size_t n_blocks_ = 0;
  AlignedBuffer cells_;
};

}  // namespace ff
