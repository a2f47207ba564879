// Rows with ids that can be added to and searched from many threads.
#pragma once

#include <shared_mutex>
#include <string>

#include "index/id_map.hpp"
#include "search/exact_search.hpp"
#include "search/funnel_search.hpp"

namespace ff {

struct IndexSizes {
  std::size_t float_bytes = 0;
  std::size_t plane_bytes = 0;
};

// Searches share a lock, additions and the building of planes hold it alone.
class Index {
 public:
  explicit Index(std::size_t dim) : corpus_(dim), ids_(corpus_) {}
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  std::size_t dim() const { return corpus_.dim(); }
  std::size_t size() const;
  bool contains(std::int64_t id) const;
  IndexSizes sizes() const;

  // Throws std::invalid_argument for an id that is taken or comes twice, or a value that is not
  // finite; the index is then unchanged.
  void add(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // Takes rows that the caller keeps alive and unchanged, without reading them; values are checked
  // when planes are built. Throws as add does for ids.
  void adopt(const MatrixView& rows, const std::int64_t* ids);
  // Writes the rows with these ids, dim() floats each. Throws std::out_of_range naming a missing
  // id.
  void get(const std::int64_t* ids, std::size_t n, float* out) const;
  // All ids, in row order.
  std::vector<std::int64_t> ids() const;

  void search(const Funnel& funnel, const Queries& queries, const SearchOptions& options,
              const Results& results);
  void search_exactly(const Queries& queries, const SearchOptions& options, const Results& results);

 private:
  void check_new(const std::int64_t* ids, std::size_t n) const;
  // Shared, with the planes built.
  std::shared_lock<std::shared_mutex> lock_with(const PlaneNeeds& needs, const Kernels& kernels,
                                                unsigned n_threads);

  mutable std::shared_mutex mutex_;
  Corpus corpus_;
  IdMap ids_;
};

}  // namespace ff
