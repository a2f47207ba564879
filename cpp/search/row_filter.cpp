#include "search/row_filter.hpp"

#include <bit>
#include <cstring>

namespace ff {
namespace {

struct Word {
  std::uint64_t bits;
  std::size_t count;
};

// 64 flags as the bits of a word. A multiplication gathers the lowest bits of 8 bytes, another adds
// up how many of each 8 are set; to branch on flags costs more than the search that they filter,
// and so does std::popcount, which is a call where the CPU may be any.
Word pack(const bool* flags) {
  static_assert(sizeof(bool) == 1 && std::endian::native == std::endian::little);
  Word word{0, 0};
  std::uint64_t counts = 0;
  for (std::size_t i = 0; i < kBlockRows; i += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, flags + i, 8);
    bytes &= 0x0101010101010101;
    word.bits |= bytes * 0x0102040810204080 >> 56 << i;
    counts += bytes;
  }
  word.count = counts * 0x0101010101010101 >> 56;
  return word;
}

}  // namespace

RowFilter RowFilter::all(const Corpus& corpus) {
  RowFilter filter(corpus);
  for (std::size_t s = 0; s < filter.mask_.size(); ++s)
    filter.mask_[s] = corpus.segments()[s]->alive();
  filter.n_rows_ = corpus.n_alive();
  return filter;
}

RowFilter::RowFilter(const Corpus& corpus) {
  for (const auto& segment : corpus.segments()) mask_.emplace_back(segment->n_blocks());
}

RowFilter::RowFilter(const Corpus& corpus, const bool* pass) : RowFilter(corpus) {
  for (std::size_t s = 0; s < mask_.size(); ++s)
    for (std::size_t b = 0; b < mask_[s].size(); ++b) {
      const std::uint64_t alive = corpus.segments()[s]->alive()[b];
      if (alive == ~std::uint64_t{0}) {
        const Word word = pack(pass);
        pass += kBlockRows;
        mask_[s][b] = word.bits;
        n_rows_ += word.count;
        continue;
      }
      for (std::uint64_t rest = alive; rest != 0; rest &= rest - 1, ++pass) {
        mask_[s][b] |= static_cast<std::uint64_t>(*pass) << std::countr_zero(rest);
        n_rows_ += *pass;
      }
    }
}

std::size_t RowFilter::n_blocks() const {
  std::size_t n_blocks = 0;
  for (const auto& words : mask_)
    for (const std::uint64_t word : words) n_blocks += word != 0;
  return n_blocks;
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
