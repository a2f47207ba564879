// Where the row with an id lies.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "planes/corpus.hpp"
#include "threads/interrupt.hpp"

namespace ff {

// Ids mostly come in increasing order. Segments whose ids do, and continue those before, are
// searched by bisection over the rows' own ids, which costs no memory; a hash table holds the rows
// of the others. Removed rows are never found.
class IdMap {
 public:
  explicit IdMap(const Corpus& corpus) : corpus_(corpus) {}

  std::optional<Row> find(std::int64_t id) const;
  // Calls each(i, row) for those of n ids that rows have; fast where ids that follow each other
  // belong to rows that do, or at least increase. Throws what check_interrupt() throws.
  template <class Each>
  void find_each(const std::int64_t* ids, std::size_t n, const Each& each) const {
    Near near;
    Stretch stretch;
    for (std::size_t i = 0; i < n; ++i) {
      if (i % kIdsAtOnce == 0) check_interrupt();
      if (const auto row = stretch.find(ids[i])) {
        each(i, *row);
      } else if (const auto found = find(ids[i], near)) {
        stretch = Stretch(corpus_, ids[i], *found);
        each(i, *found);
      }
    }
  }
  // Of these ids the first that comes twice; none if they are unique.
  static std::optional<std::int64_t> first_repeated(const std::int64_t* ids, std::size_t n);
  // Of these ids the first that a row has.
  std::optional<std::int64_t> first_taken(const std::int64_t* ids, std::size_t n) const;
  // Rows [first, end of corpus) have been appended. From here on they have their ids, even where
  // another row had them. Nothing changes if it throws std::bad_alloc or what check_interrupt()
  // throws.
  void extend(Row first);
  // The row with this id is removed, or about to be.
  void erase(std::int64_t id) { rows_.erase(id); }

 private:
  using Rows = std::unordered_map<std::int64_t, Row>;
  static constexpr std::size_t kIdsAtOnce = 4096;  // between two looks at interrupts

  struct Near {
    std::size_t segment = 0;  // where the last one was, or would be
    std::size_t row = 0;
  };

  // Where in the segment of the last id found others lie if none is missing between them.
  class Stretch {
   public:
    Stretch() = default;
    Stretch(const Corpus& corpus, std::int64_t id, Row row)
        : segment_(&corpus.segment_of(row)),
          first_row_(row - static_cast<Row>(row % Segment::kMaxRows)),
          first_id_(static_cast<std::uint64_t>(id) - row % Segment::kMaxRows) {}
    std::optional<Row> find(std::int64_t id) const {
      if (segment_ == nullptr) return std::nullopt;
      const std::uint64_t row = static_cast<std::uint64_t>(id) - first_id_;
      if (row >= segment_->n_rows() || segment_->id(row) != id || !segment_->is_alive(row))
        return std::nullopt;
      return first_row_ + static_cast<Row>(row);
    }

   private:
    const Segment* segment_ = nullptr;
    Row first_row_ = 0;
    std::uint64_t first_id_ = 0;
  };

  std::optional<Row> find(std::int64_t id, Near& near) const;
  std::optional<Row> search_sorted(std::int64_t id, Near& near) const;
  void collect(std::size_t segment, std::size_t first_row, Rows& rows) const;
  bool continues(std::size_t segment, std::size_t first_row,
                 const std::vector<std::size_t>& sorted) const;

  const Corpus& corpus_;
  std::vector<std::size_t> sorted_;  // segments whose ids increase, each beginning after the last
  std::optional<std::int64_t> highest_;  // id that ever came
  Rows rows_;                            // living rows of the other segments
};

}  // namespace ff
