// The meaning of a sign scan, in plain C++: 2 table entries added per byte of a row.
#include "kernels/sign_scan.hpp"

#include "kernels/nibble_tables.hpp"

namespace ff {
namespace {

void scan(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries) {
  for (std::size_t b = 0; b < blocks.n_blocks; ++b) {
    const std::uint64_t alive = blocks.alive ? blocks.alive[b] : ~std::uint64_t{0};
    if (alive == 0) continue;
    for (std::size_t q = 0; q < n_queries; ++q) {
      SignQuery& query = queries[q];
      std::uint16_t scores[kBlockRows] = {};
      const std::uint8_t* tables = query.tables;
      for (std::size_t s = 0; s < blocks.n_slices; ++s) {
        const std::uint8_t* cell = blocks.slices + s * blocks.slice_stride + b * kCellBytes;
        for (std::size_t j = 0; j < 8; ++j, cell += kBlockRows, tables += 32)
          for (std::size_t r = 0; r < kBlockRows; ++r)
            scores[r] = static_cast<std::uint16_t>(scores[r] + tables[cell[r] >> 4] +
                                                   tables[16 + (cell[r] & 15)]);
      }
      for (std::size_t r = 0; r < kBlockRows; ++r) {
        if (scores[r] < query.threshold || !((alive >> r) & 1)) continue;
        query.rows[query.count] = blocks.first_row + static_cast<std::uint32_t>(b * kBlockRows + r);
        query.scores[query.count] = scores[r];
        ++query.count;
      }
    }
  }
}

}  // namespace

extern const SignScanKernels kSignScanScalar = {IsaLevel::scalar, kNibbleSliceBytes,
                                                make_nibble_tables, scan};

}  // namespace ff
