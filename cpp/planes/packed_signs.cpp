#include "planes/packed_signs.hpp"

#include <algorithm>
#include <cstring>

#include "arrays/prefetch.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kRowsATask = 4096;

constexpr std::size_t kRowsAhead = 16;  // fetched before they are read

// Sign bits as they lie row by row, one cache line or two.
const std::uint8_t* sign_row(const Corpus& corpus, Row row) {
  const Segment& segment = corpus.segment_of(row);
  return segment.sign_rows() + row % Segment::kMaxRows * segment.sign_row_stride();
}

// Sign bits from the scan's own order, where each byte lies in another cache line.
void collect(const SignBlocks& blocks, std::size_t row, std::uint8_t* code) {
  const std::uint8_t* cell = blocks.slices + row / kBlockRows * kCellBytes + row % kBlockRows;
  for (std::size_t s = 0; s < blocks.n_slices; ++s, cell += blocks.slice_stride)
    for (std::size_t j = 0; j < 8; ++j) *code++ = cell[j * kBlockRows];
}

}  // namespace

bool has_sign_rows(const Corpus& corpus) {
  PlaneNeeds needs;
  needs.sign_rows = true;
  return corpus.has(needs) &&
         std::none_of(corpus.segments().begin(), corpus.segments().end(),
                      [](const auto& segment) { return segment->signs_are_split(); });
}

Corpus pack_signs(const Corpus& corpus, const std::vector<Row>& rows, std::size_t n_slices,
                  unsigned n_threads) {
  const std::size_t n_bytes = n_slices * kSliceDims / 8;
  const bool by_row = has_sign_rows(corpus);
  AlignedBuffer codes(rows.size() * n_bytes);
  parallel_for((rows.size() + kRowsATask - 1) / kRowsATask, n_threads, [&](std::size_t task) {
    check_interrupt();
    const std::size_t end = std::min(rows.size(), (task + 1) * kRowsATask);
    for (std::size_t i = task * kRowsATask; i < end; ++i) {
      std::uint8_t* code = codes.data() + i * n_bytes;
      if (by_row) {
        if (i + kRowsAhead < end) prefetch(sign_row(corpus, rows[i + kRowsAhead]));
        const std::uint8_t* row = sign_row(corpus, rows[i]);
        for (std::size_t j = 0; j < n_bytes; j += 8) std::memcpy(code + j, row + j, 8);
      } else {
        const Segment& segment = corpus.segment_of(rows[i]);
        collect(segment.sign_plane().blocks(0, segment.n_blocks(), n_slices, nullptr, 0),
                rows[i] % Segment::kMaxRows, code);
      }
    }
  });
  return Corpus::from_codes(
      {codes.data(), rows.size(), n_bytes, static_cast<std::ptrdiff_t>(n_bytes)}, n_threads);
}

}  // namespace ff
