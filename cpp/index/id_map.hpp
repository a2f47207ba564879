// Where the row with an id lies.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "planes/corpus.hpp"

namespace ff {

// Ids mostly come in increasing order. Segments whose ids do, and continue those before, are
// searched by bisection over the rows' own ids, which costs no memory; a hash table holds the rows
// of the others. Removed rows are never found.
class IdMap {
 public:
  explicit IdMap(const Corpus& corpus) : corpus_(corpus) {}

  std::optional<Row> find(std::int64_t id) const;
  // As find; faster where ids are asked for in increasing order, with the same `near` from one to
  // the next. Start with Near{}.
  struct Near {
    std::size_t segment = 0;  // where the last one was, or would be
    std::size_t row = 0;
  };
  std::optional<Row> find(std::int64_t id, Near& near) const;
  // Of these ids the first that comes twice; none if they are unique.
  static std::optional<std::int64_t> first_repeated(const std::int64_t* ids, std::size_t n);
  // Of these ids the first that a row has.
  std::optional<std::int64_t> first_taken(const std::int64_t* ids, std::size_t n) const;
  // Rows [first, end of corpus) have been appended. From here on they have their ids, even where
  // another row had them. Nothing changes if it throws std::bad_alloc.
  void extend(Row first);
  // The row with this id is removed, or about to be.
  void erase(std::int64_t id) { rows_.erase(id); }

 private:
  using Rows = std::unordered_map<std::int64_t, Row>;

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
