// Where the row with an id lies.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "planes/corpus.hpp"

namespace ff {

// While ids come in increasing order, as they mostly do, a binary search over the rows' own ids is
// the map and costs no memory; the first id out of order builds a hash table.
class IdMap {
 public:
  explicit IdMap(const Corpus& corpus) : corpus_(corpus) {}

  std::optional<Row> find(std::int64_t id) const;
  // Of these new ids the first that is taken, or that comes twice; none if all are new.
  std::optional<std::int64_t> first_duplicate(const std::int64_t* ids, std::size_t n) const;
  // Rows [first, end of corpus) have been appended; their ids are new.
  void extend(Row first);

 private:
  std::optional<Row> search_sorted(std::int64_t id) const;

  const Corpus& corpus_;
  bool increasing_ = true;
  std::optional<std::int64_t> last_;
  std::unordered_map<std::int64_t, Row> rows_;  // used once ids do not increase
};

}  // namespace ff
