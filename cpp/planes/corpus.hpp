// All rows of an index or of an array: a list of segments under one row numbering.
#pragma once

#include <memory>
#include <vector>

#include "planes/segment.hpp"

namespace ff {

// A row number is segment * 65,536 + row in the segment: unique and ordered like the rows were
// added, with gaps behind segments that are not full.
using Row = std::uint32_t;

class Corpus {
 public:
  static constexpr std::size_t kMaxSegments = 65536;  // what a row number can tell apart

  // Rows of somebody else; ids are row numbers of the array.
  static Corpus borrow(const MatrixView& rows);
  // Codes without float rows, for Hamming search; ids are row numbers.
  static Corpus from_codes(const CodeView& codes, unsigned n_threads);
  // An empty corpus that owns its rows.
  explicit Corpus(std::size_t dim, const RowFormat& format = {}) : dim_(dim), format_(format) {}

  std::size_t dim() const { return dim_; }
  const RowFormat& format() const { return format_; }
  std::size_t n_rows() const;   // removed ones too
  std::size_t n_alive() const;  // the rows that searches see
  std::size_t n_blocks() const;
  const std::vector<std::shared_ptr<Segment>>& segments() const { return segments_; }
  const Segment& segment_of(Row row) const { return *segments_[row / Segment::kMaxRows]; }
  std::int64_t id(Row row) const { return segment_of(row).id(row % Segment::kMaxRows); }

  bool is_alive(Row row) const { return segment_of(row).is_alive(row % Segment::kMaxRows); }

  // Rows go behind the last: copied, or read in place where somebody else keeps them (keeper holds
  // their memory, if it is given). All of them, or none if it throws: std::length_error if there
  // are no row numbers left.
  void append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  void adopt(const MatrixView& rows, const std::int64_t* ids,
             const std::shared_ptr<const void>& keeper = nullptr);
  // Takes back the rows from this number on.
  void truncate(Row end);
  // Marks a row as removed; false if it was.
  bool remove(Row row);
  void seal();
  void rebase(std::size_t segment, const MatrixView& rows, std::shared_ptr<const void> keeper);
  void set_codes(std::size_t segment, StoredCodes codes);
  // The rows that are alive, in the same order, with the planes that were built. Segments without
  // removed rows are shared, the others copied together.
  Corpus compacted(const Kernels& kernels, unsigned n_threads) const;
  // Directions for exact search (planes/projection.hpp), none at first.
  const std::shared_ptr<const Basis>& basis() const { return basis_; }
  void set_basis(std::shared_ptr<const Basis> basis) { basis_ = std::move(basis); }
  // The row number that the next appended row gets.
  Row next_row() const;
  bool has(const PlaneNeeds& needs) const;
  // Frees every plane that is not among the needs.
  void keep(const PlaneNeeds& needs);
  // Builds the planes that any segment lacks, one segment a task. name is what error messages
  // call the rows.
  void require(const PlaneNeeds& needs, const Kernels& kernels, unsigned n_threads,
               const std::string& name);

 private:
  void check_room(std::size_t n_segments) const;

  std::size_t dim_;
  RowFormat format_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::shared_ptr<const Basis> basis_;
};

}  // namespace ff
