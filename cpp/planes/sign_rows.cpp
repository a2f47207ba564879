#include "planes/sign_rows.hpp"

#include <algorithm>
#include <cstring>

namespace ff {
namespace {

constexpr std::size_t kRowsAhead = 4;  // whose cells are asked for: a code lies in many cache lines

void prefetch(const std::uint8_t* bytes) {
#if defined(__GNUC__)
  __builtin_prefetch(bytes);
#else
  (void)bytes;
#endif
}

}  // namespace

SignRows SignRows::grown(std::size_t capacity) const {
  if (!is_built_) return {};
  SignRows larger(stride_ + 8 * n_skipped_, n_skipped_, capacity);
  if (n_bytes() > 0)
    std::memcpy(larger.bytes_.data(), data(), std::min(n_bytes(), larger.n_bytes()));
  return larger;
}

void SignRows::write(std::size_t first, std::size_t n_rows, const std::uint8_t* codes,
                     std::size_t code_stride) {
  if (stride_ == 0) return;
  for (std::size_t i = 0; i < n_rows; ++i)
    std::memcpy(bytes_.data() + (first + i) * stride_, codes + i * code_stride + 8 * n_skipped_,
                stride_);
}

void SignRows::gather(const SignPlane& plane, const std::uint32_t* rows, std::size_t n,
                      std::uint8_t* out) const {
  const SignBlocks blocks = plane.blocks(0, plane.n_blocks(), n_skipped_, nullptr, 0);
  const auto cell_of = [&](std::uint32_t row) {
    return blocks.slices + row / kBlockRows * kCellBytes + row % kBlockRows;
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) {
      const std::uint8_t* ahead = cell_of(rows[i + kRowsAhead]);
      for (std::size_t s = 0; s < n_skipped_; ++s, ahead += blocks.slice_stride)
        for (std::size_t j = 0; j < 8; ++j) prefetch(ahead + j * kBlockRows);
      prefetch(data() + rows[i + kRowsAhead] * stride_);
    }
    const std::uint8_t* cell = cell_of(rows[i]);
    for (std::size_t s = 0; s < n_skipped_; ++s, cell += blocks.slice_stride)
      for (std::size_t j = 0; j < 8; ++j) *out++ = cell[j * kBlockRows];
    if (stride_ > 0) std::memcpy(out, data() + rows[i] * stride_, stride_);
    out += stride_;
  }
}

}  // namespace ff
