#include "search/row_filter.hpp"

#include <bit>

namespace ff {

RowFilter::RowFilter(const Corpus& corpus) {
  for (const auto& segment : corpus.segments()) mask_.emplace_back(segment->n_blocks());
}

RowFilter::RowFilter(const Corpus& corpus, const bool* pass) : RowFilter(corpus) {
  for (std::size_t s = 0; s < mask_.size(); ++s)
    for (std::size_t b = 0; b < mask_[s].size(); ++b) {
      std::uint64_t word = 0;
      for (std::uint64_t rest = corpus.segments()[s]->alive()[b]; rest != 0; rest &= rest - 1)
        word |= *pass++ ? rest & (~rest + 1) : 0;
      mask_[s][b] = word;
      n_rows_ += static_cast<std::size_t>(std::popcount(word));
    }
}

void RowFilter::let_through(Row row) {
  std::uint64_t& word = mask_[row / Segment::kMaxRows][row % Segment::kMaxRows / kBlockRows];
  const std::uint64_t bit = std::uint64_t{1} << (row % kBlockRows);
  n_rows_ += (word & bit) == 0;
  word |= bit;
}

std::vector<Row> RowFilter::rows() const {
  std::vector<Row> rows;
  rows.reserve(n_rows_);
  for (std::size_t s = 0; s < mask_.size(); ++s)
    for (std::size_t b = 0; b < mask_[s].size(); ++b)
      for (std::uint64_t rest = mask_[s][b]; rest != 0; rest &= rest - 1)
        rows.push_back(static_cast<Row>(s * Segment::kMaxRows + b * kBlockRows +
                                        static_cast<std::size_t>(std::countr_zero(rest))));
  return rows;
}

}  // namespace ff
