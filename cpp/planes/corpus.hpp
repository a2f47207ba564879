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
  // Rows of somebody else; ids are row numbers of the array.
  static Corpus borrow(const MatrixView& rows);
  // Codes without float rows, for Hamming search; ids are row numbers.
  static Corpus from_codes(const CodeView& codes, unsigned n_threads);
  // An empty corpus that owns its rows as float32.
  explicit Corpus(std::size_t dim) : dim_(dim) {}

  std::size_t dim() const { return dim_; }
  std::size_t n_rows() const;
  const std::vector<std::unique_ptr<Segment>>& segments() const { return segments_; }
  const Segment& segment_of(Row row) const { return *segments_[row / Segment::kMaxRows]; }
  std::int64_t id(Row row) const { return segment_of(row).id(row % Segment::kMaxRows); }

  // Copies rows behind the last.
  void append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // Rows of somebody else, behind the last.
  void adopt(const MatrixView& rows, const std::int64_t* ids);
  // The row number that the next appended row gets.
  Row next_row() const;
  bool has(const PlaneNeeds& needs) const;
  // Builds the planes that any segment lacks, one segment a task. name is what error messages
  // call the rows.
  void require(const PlaneNeeds& needs, const Kernels& kernels, unsigned n_threads,
               const std::string& name);

 private:
  std::size_t dim_;
  std::vector<std::unique_ptr<Segment>> segments_;
};

}  // namespace ff
