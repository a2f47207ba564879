// Which rows of a segment are copies of an earlier one, byte for byte.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arrays/matrix_view.hpp"

namespace ff {

// Copies score the same by every query, so that one of them answers for all. Only rows that came
// together are compared: what is missed costs time, never an answer.
class RowCopies {
 public:
  // Looks at rows that came together, one after the other, in ascending order.
  class Finder {
   public:
    Finder(RowCopies& copies, const MatrixView& rows) : copies_(copies), rows_(rows) {}
    void look_at(std::size_t row);

   private:
    RowCopies& copies_;
    const MatrixView& rows_;
    std::unordered_map<std::size_t, std::uint32_t> first_with_;  // by the hash of a row's start
  };

  bool is_built() const { return is_built_; }
  void set_built(bool is_built);
  // Forgets the rows from n_rows on: others may come in their places.
  void truncate(std::size_t n_rows);
  // The first row that this one is a copy of, itself if there is none before it.
  std::size_t first_of(std::size_t row) const { return row < first_.size() ? first_[row] : row; }
  std::size_t n_bytes() const { return first_.capacity() * sizeof(std::uint32_t); }

 private:
  bool is_built_ = false;
  std::vector<std::uint32_t> first_;  // up to the last copy
};

}  // namespace ff
