#include "planes/sign_plane.hpp"

#include <algorithm>
#include <cstring>

namespace ff {

SignPlane::SignPlane(std::size_t n_slices, std::size_t n_blocks)
    : n_slices_(n_slices), n_blocks_(n_blocks), cells_(n_slices * n_blocks * kCellBytes) {}

void SignPlane::write(std::size_t first, std::size_t n_rows, const std::uint8_t* codes,
                      std::size_t code_stride) {
  for (std::size_t s = 0; s < n_slices_; ++s)
    for (std::size_t i = 0; i < n_rows; ++i) {
      const std::size_t row = first + i;
      std::uint8_t* lane =
          cells_.data() + s * slice_stride() + row / kBlockRows * kCellBytes + row % kBlockRows;
      const std::uint8_t* code = codes + i * code_stride + s * 8;
      for (std::size_t j = 0; j < 8; ++j) lane[j * kBlockRows] = code[j];
    }
}

void SignPlane::copy_from(const SignPlane& other) {
  const std::size_t bytes = std::min(n_blocks_, other.n_blocks_) * kCellBytes;
  for (std::size_t s = 0; s < std::min(n_slices_, other.n_slices_); ++s)
    std::memcpy(cells_.data() + s * slice_stride(), other.cells_.data() + s * other.slice_stride(),
                bytes);
}

SignBlocks SignPlane::blocks(std::size_t first, std::size_t count, std::size_t n_slices,
                             const std::uint64_t* alive, std::uint32_t first_row) const {
  return {cells_.data() + first * kCellBytes,
          slice_stride(),
          n_slices,
          count,
          alive == nullptr ? nullptr : alive + first,
          first_row + static_cast<std::uint32_t>(first * kBlockRows)};
}

}  // namespace ff
