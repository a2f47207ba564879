// Rows with ids that can be changed and searched from many threads.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "index/id_map.hpp"
#include "search/exact_search.hpp"
#include "search/funnel_search.hpp"
#include "threads/fair_lock.hpp"

namespace ff {

struct IndexSizes {
  std::size_t float_bytes = 0;
  std::size_t plane_bytes = 0;
};

// A copy of what a segment holds beside its floats.
struct SegmentContents {
  std::vector<std::int64_t> ids;
  std::vector<std::uint64_t> alive;  // a bit a row
  bool owns_rows = false;
};

// Which rows of an index may answer: all of them, those with some ids (missing ones are skipped),
// or the i-th living row, in row order, where pass[i] is true.
struct Which {
  const std::int64_t* ids = nullptr;
  const bool* pass = nullptr;
  std::size_t count = 0;  // ids, or flags

  bool is_all() const { return ids == nullptr && pass == nullptr; }
};

// Searches share a lock; changes come one at a time and hold it alone for as long as searches must
// not look. Every call may throw what check_interrupt() throws; a change then has not happened.
class Index {
 public:
  explicit Index(std::size_t dim, Metric metric = Metric::cosine, const RowFormat& format = {})
      : dim_(dim),
        metric_(metric),
        format_(format),
        state_(std::make_unique<State>(Corpus(dim, format))) {}
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  std::size_t dim() const { return dim_; }
  const RowFormat& format() const { return format_; }
  std::size_t size() const;  // living rows
  // Living rows, and rows that ever came by add, upsert or adopt.
  std::pair<std::size_t, std::uint64_t> extent() const;
  bool contains(std::int64_t id) const;
  IndexSizes sizes() const;
  // Writes the rows with these ids, dim() floats each. Throws std::out_of_range naming a missing
  // id.
  void get(const std::int64_t* ids, std::size_t n, const Kernels& kernels, float* out) const;
  // The row numbers of these ids, -1 for missing ones.
  std::vector<std::int64_t> locate(const std::int64_t* ids, std::size_t n) const;
  // All ids, in row order.
  std::vector<std::int64_t> ids() const;

  // Throws what add or upsert would throw for these rows, before anything is changed.
  void check(const MatrixView& rows, const std::int64_t* ids, bool upsert,
             const Kernels& kernels) const;
  // Throws std::invalid_argument for an id that is taken or comes twice, or a value that is not
  // finite; the index is then unchanged.
  void add(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // As add, but rows whose ids are taken replace the old ones. Returns how many did.
  std::size_t upsert(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // Returns how many of these ids there were.
  std::size_t remove(const std::int64_t* ids, std::size_t n);
  // Drops removed rows from memory, copying what shares a segment with them, while searches go on.
  // Returns how many.
  std::size_t compact(const Kernels& kernels, unsigned n_threads);
  // Takes all that another index of the same dim and format holds, which is left empty.
  void replace(Index& other);

  // What storage needs. Segments number from 0; one that is not there throws std::out_of_range.

  // Takes rows without reading them; values are checked when planes are built. keeper holds their
  // memory. alive: a bool a row, null: all. Throws as add does for the ids of living rows.
  void adopt(const MatrixView& rows, const std::int64_t* ids, const bool* alive = nullptr,
             const std::shared_ptr<const void>& keeper = nullptr);
  std::size_t n_segments() const;
  SegmentContents segment(std::size_t segment) const;
  // Writes rows [first, first + count) in the index's format, removed ones too.
  void segment_rows(std::size_t segment, std::size_t first, std::size_t count,
                    const Kernels& kernels, std::byte* out) const;
  // The next row begins a new segment.
  void seal();
  // The segment reads its rows, which are the same, from here on; its own memory is freed. Throws
  // std::invalid_argument for another number of rows.
  void rebase(std::size_t segment, const MatrixView& rows, std::shared_ptr<const void> keeper);
  // Codes of a segment whose rows were adopted or rebased.
  void set_codes(std::size_t segment, StoredCodes codes);

  // Frees the planes that neither these funnels nor, if exact, exact search reads; they are built
  // again when a search needs them.
  void keep_planes(const std::vector<Funnel>& funnels, bool exact);

  // Of options, filter and metric are not used: `which` and the index's metric are. Throws
  // std::invalid_argument for a stage that reads codes the index does not keep.
  void search(const Funnel& funnel, const Queries& queries, const Which& which,
              const SearchOptions& options, const Results& results);
  void search_exactly(const Queries& queries, const Which& which, const SearchOptions& options,
                      const Results& results);
  // The lengths of the shortest and the longest living row, to 1e-6 of them; {0, 0} without rows.
  std::pair<float, float> lengths(const Kernels& kernels, unsigned n_threads);
  // Directions that make exact searches fast (planes/projection.hpp); the first that come stay.
  void set_basis(Basis basis);
  // Exact scores of rows that somebody else found: n a query, the same for all queries or
  // (per_query) different ones, row-major. Ids that are missing score -inf.
  void rescore(const Queries& queries, const std::int64_t* ids, std::size_t n, bool per_query,
               const SearchOptions& options, double* scores) const;

 private:
  struct State {
    explicit State(Corpus&& rows) : corpus(std::move(rows)), ids(corpus) { ids.extend(0); }
    const Segment& segment(std::size_t number) const;

    Corpus corpus;
    IdMap ids;
  };

  void append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // Null for all. Throws std::invalid_argument unless there is a flag for every living row.
  std::optional<RowFilter> make_filter(const Which& which) const;
  SearchOptions complete(const SearchOptions& options,
                         const std::optional<RowFilter>& filter) const;
  // Shared, with the planes built.
  std::shared_lock<FairLock> lock_with(const PlaneNeeds& needs, const Kernels& kernels,
                                       unsigned n_threads);

  std::size_t dim_;
  Metric metric_;
  RowFormat format_;
  FairLock changing_{false};  // held through a change, so that it may look without lock_
  mutable FairLock lock_;
  std::unique_ptr<State> state_;
  std::uint64_t n_written_ = 0;
};

}  // namespace ff
