#include "core_support.hpp"
#include "planes/packed_signs.hpp"

namespace ff::test {
namespace {

TEST_CASE("packed_signs: the bits of the rows asked for, wherever they are read") {
  Random random(3);
  for (std::size_t dim : {1, 64, 100, 256}) {
    const std::size_t n = dim == 64 ? Segment::kMaxRows + 300 : 500;
    const Matrix base = real_rows(n, dim, random);
    std::vector<Row> rows;
    for (Row i = 0; i < n; ++i)
      if (i % 3 == 1 || (i > 100 && i < 180)) rows.push_back(i);
    for (bool sign_rows : {false, true}) {
      Corpus corpus = Corpus::borrow(base.view());
      PlaneNeeds needs;
      needs.sign_slices = (dim + kSliceDims - 1) / kSliceDims;
      needs.sign_rows = sign_rows;
      corpus.require(needs, reference(), 2, "rows");
      CHECK(has_sign_rows(corpus) == sign_rows);
      const Corpus packed = pack_signs(corpus, rows, needs.sign_slices, 2);
      CHECK(packed.n_alive() == rows.size());
      std::size_t n_wrong = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const Segment& segment = *packed.segments()[i / Segment::kMaxRows];
        const SignBlocks blocks =
            segment.sign_plane().blocks(0, segment.n_blocks(), needs.sign_slices, nullptr, 0);
        const std::size_t row = i % Segment::kMaxRows;
        for (std::size_t d = 0; d < needs.sign_slices * kSliceDims; ++d) {
          const std::uint8_t byte =
              blocks.slices[d / kSliceDims * blocks.slice_stride + row / kBlockRows * kCellBytes +
                            d % kSliceDims / 8 * kBlockRows + row % kBlockRows];
          const bool positive = d < dim && base.row(rows[i])[d] > 0;
          n_wrong += ((byte & (0x80U >> (d % 8))) != 0) != positive;
        }
      }
      CHECK(n_wrong == 0);
    }
  }
}

}  // namespace
}  // namespace ff::test
