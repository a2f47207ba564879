#include "planes/packed_signs.hpp"

#include <algorithm>
#include <cstring>

#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kRowsATask = 4096;

// Writes the code of one row, n_slices * 8 bytes.
void read_code(const SignBlocks& blocks, std::size_t row, std::uint8_t* code) {
  const std::uint8_t* cell = blocks.slices + row / kBlockRows * kCellBytes + row % kBlockRows;
  for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride)
    for (std::size_t j = 0; j < 8; ++j) *code++ = cell[j * kBlockRows];
}

}  // namespace

Corpus pack_signs(const Corpus& corpus, const std::vector<Row>& rows, std::size_t n_slices,
                  unsigned n_threads) {
  const std::size_t n_bytes = n_slices * kSliceDims / 8;
  AlignedBuffer codes(rows.size() * n_bytes);
  parallel_for((rows.size() + kRowsATask - 1) / kRowsATask, n_threads, [&](std::size_t task) {
    check_interrupt();
    const std::size_t end = std::min(rows.size(), (task + 1) * kRowsATask);
    for (std::size_t i = task * kRowsATask; i < end; ++i) {
      const Segment& segment = corpus.segment_of(rows[i]);
      const SignBlocks blocks =
          segment.sign_plane().blocks(0, segment.n_blocks(), n_slices, nullptr, 0);
      read_code(blocks, rows[i] % Segment::kMaxRows, codes.data() + i * n_bytes);
    }
  });
  return Corpus::from_codes(
      {codes.data(), rows.size(), n_bytes, static_cast<std::ptrdiff_t>(n_bytes)}, n_threads);
}

}  // namespace ff
