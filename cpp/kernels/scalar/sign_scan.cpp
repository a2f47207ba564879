// The meaning of a sign scan, in plain C++: 2 table entries added per byte of a row.
#include "kernels/sign_scan.hpp"

#include <bit>

#include "kernels/nibble_tables.hpp"

namespace ff {
namespace {

// score_of(byte of a row, s, j): what byte j of slice s adds to the score of the row.
template <class ScoreOf>
void scan_query(const SignBlocks& blocks, SignQuery& query, const ScoreOf& score_of) {
  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
    if (alive == 0) continue;
    std::uint16_t scores[kBlockRows] = {};
    for (std::size_t s = 0; s < blocks.n_slices; ++s) {
      const std::uint8_t* cell = blocks.slices + s * blocks.slice_stride + b * kCellBytes;
      for (std::size_t j = 0; j < 8; ++j, cell += kBlockRows)
        for (std::size_t r = 0; r < kBlockRows; ++r)
          scores[r] = static_cast<std::uint16_t>(scores[r] + score_of(cell[r], s, j));
    }
    for (std::size_t r = 0; r < kBlockRows; ++r) {
      if (scores[r] < query.threshold || !((alive >> r) & 1)) continue;
      query.rows[query.count] = blocks.first_row + static_cast<std::uint32_t>(b * kBlockRows + r);
      query.scores[query.count] = scores[r];
      ++query.count;
    }
  }
}

void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  for (SignQuery* query = queries; query < queries + n_queries; ++query)
    scan_query(blocks, *query, [&](std::uint8_t byte, std::size_t s, std::size_t j) {
      const std::uint8_t* tables = query->tables + s * kNibbleSliceBytes + j * 32;
      return tables[byte >> 4] + tables[16 + (byte & 15)];
    });
}

void count(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  for (SignQuery* query = queries; query < queries + n_queries; ++query)
    scan_query(blocks, *query, [&](std::uint8_t byte, std::size_t s, std::size_t j) {
      return std::popcount(static_cast<unsigned>(byte ^ query->tables[s * 8 + j]));
    });
}

}  // namespace

extern const SignScanKernels kSignScanScalar = {IsaLevel::scalar, kNibbleSliceBytes,
                                                make_nibble_tables, scan, count};

}  // namespace ff
