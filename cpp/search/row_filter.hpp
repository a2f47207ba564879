// Which rows may answer a search.
#pragma once

#include <cstddef>

#include "stages/scan.hpp"

namespace ff {

// A mask over the living rows of a corpus.
class RowFilter {
 public:
  static RowFilter all(const Corpus& corpus);
  // Lets no row through.
  explicit RowFilter(const Corpus& corpus);
  // Lets through the i-th living row, in row order, where pass[i] is true; as many as there are.
  RowFilter(const Corpus& corpus, const bool* pass);

  // row must be alive.
  void let_through(Row row) {
    std::uint64_t& word = mask_[row / Segment::kMaxRows][row % Segment::kMaxRows / kBlockRows];
    const std::uint64_t bit = std::uint64_t{1} << (row % kBlockRows);
    n_rows_ += (word & bit) == 0;
    word |= bit;
  }

  const RowMask& mask() const { return mask_; }
  std::size_t n_rows() const { return n_rows_; }
  std::size_t n_blocks() const;   // with a row that is let through: a scan skips the others
  std::vector<Row> rows() const;  // ascending

 private:
  RowMask mask_;
  std::size_t n_rows_ = 0;
};

}  // namespace ff
