#include "planes/sign_plane.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kTile = 8;  // rows and bytes of a slice that are turned at once
static_assert(std::endian::native == std::endian::little);

// Swaps the bits of a above a shift with those of b below it, where the mask says.
void swap_bits(std::uint64_t& a, std::uint64_t& b, unsigned shift, std::uint64_t mask) {
  const std::uint64_t differ = ((a >> shift) ^ b) & mask;
  b ^= differ;
  a ^= differ << shift;
}

// 8 rows of 8 bytes become 8 columns: quarters of the square change places, then quarters of each
// quarter (Warren, Hacker's Delight, section 7-3). Half the time of moving byte by byte.
void write_tile(const std::uint8_t* code, std::size_t code_stride, std::uint8_t* lane) {
  std::uint64_t rows[kTile];
  for (std::size_t r = 0; r < kTile; ++r) std::memcpy(rows + r, code + r * code_stride, kTile);
  for (std::size_t r = 0; r < 4; ++r) swap_bits(rows[r], rows[r + 4], 32, 0x00000000ffffffff);
  for (std::size_t r : {0, 1, 4, 5}) swap_bits(rows[r], rows[r + 2], 16, 0x0000ffff0000ffff);
  for (std::size_t r : {0, 2, 4, 6}) swap_bits(rows[r], rows[r + 1], 8, 0x00ff00ff00ff00ff);
  for (std::size_t j = 0; j < kTile; ++j) std::memcpy(lane + j * kBlockRows, rows + j, kTile);
}

}  // namespace

SignPlane::SignPlane(std::size_t n_slices, std::size_t n_blocks)
    : n_slices_(n_slices), n_blocks_(n_blocks), cells_(n_slices * n_blocks * kCellBytes) {}

void SignPlane::write(std::size_t first, std::size_t n_rows, const std::uint8_t* codes,
                      std::size_t code_stride) {
  for (std::size_t s = 0; s < n_slices_; ++s)
    for (std::size_t i = 0; i < n_rows;) {
      const std::size_t row = first + i;
      std::uint8_t* lane =
          cells_.data() + s * slice_stride() + row / kBlockRows * kCellBytes + row % kBlockRows;
      const std::uint8_t* code = codes + i * code_stride + s * kTile;
      if (row % kTile == 0 && i + kTile <= n_rows) {
        write_tile(code, code_stride, lane);
        i += kTile;
      } else {
        for (std::size_t j = 0; j < kTile; ++j) lane[j * kBlockRows] = code[j];
        ++i;
      }
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
