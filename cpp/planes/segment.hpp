// A run of up to 65,536 rows with the planes that the stages read.
//
//   rows (floats, borrowed or owned) ─┬─► SignPlane    sign bits in scan order
//                                     ├─► sign rows    sign bits row by row, for gathering
//                                     ├─► int8 rows    for scanning and gathering
//                                     ├─► projections  int8 along principal directions
//                                     ├─► copies       which rows equal an earlier one
//                                     └─► inverse norms of the full rows and of prefixes
//
// Planes are built when a funnel first needs them, from stored codes where there are some, and
// follow the rows from then on.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arrays/aligned_buffer.hpp"
#include "arrays/file_map.hpp"
#include "arrays/matrix_view.hpp"
#include "kernels/dispatch.hpp"
#include "planes/projection.hpp"
#include "planes/row_copies.hpp"
#include "planes/row_format.hpp"
#include "planes/sign_plane.hpp"
#include "planes/sign_rows.hpp"
#include "planes/stored_codes.hpp"

namespace ff {

// What a funnel reads, beside the rows themselves.
struct PlaneNeeds {
  std::size_t sign_slices = 0;
  bool sign_rows = false;
  bool int8_rows = false;
  bool int8_errors = false;
  bool copies = false;
  std::vector<std::size_t> norm_dims;  // prefixes whose inverse norms are wanted
  std::shared_ptr<const Basis> basis;  // of the projections

  void add_norms(std::size_t dims);
  void add(const PlaneNeeds& more);
  bool none() const;
};

class Segment {
 public:
  static constexpr std::size_t kMaxRows = 65536;

  // Rows of somebody else, who keeps them in memory; their ids are first_id, first_id + 1, ….
  static Segment borrow(const MatrixView& rows, std::int64_t first_id);
  // Codes without float rows: a sign plane and nothing else.
  static Segment from_codes(const CodeView& codes, std::int64_t first_id);
  // An empty segment that owns its rows.
  Segment(std::size_t dim, Element element);
  // Sign rows leave out what the sign plane holds when they are made.
  void keep_signs_once(bool once) { signs_once_ = once; }

  std::size_t n_rows() const { return rows_.n_rows; }
  std::size_t dim() const { return rows_.dim; }
  std::size_t n_blocks() const { return (n_rows() + kBlockRows - 1) / kBlockRows; }
  const MatrixView& rows() const { return rows_; }
  bool owns_rows() const { return owns_rows_; }
  bool has_room() const { return owns_rows_ && !sealed_ && n_rows() < kMaxRows; }
  std::int64_t id(std::size_t row) const {
    return ids_.empty() ? first_id_ + static_cast<std::int64_t>(row) : ids_[row];
  }
  // Removed rows stay, but for their bit, until the corpus is compacted.
  const std::vector<std::uint64_t>& alive() const { return alive_; }  // a word a block
  bool is_alive(std::size_t row) const {
    return (alive_[row / kBlockRows] >> (row % kBlockRows) & 1) != 0;
  }
  std::size_t n_alive() const { return n_alive_; }

  // Appends rows (owned segments only, n_rows() + count <= kMaxRows) and extends every plane: all
  // of them, or none if it throws.
  void append(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels);
  // Takes back the rows from n_rows on that were appended last.
  void truncate(std::size_t n_rows);
  // Marks a row as removed; false if it was.
  bool remove(std::size_t row);
  void set_ids(const std::int64_t* ids);
  // keeper holds the memory of borrowed rows for as long as the segment reads them.
  void set_keeper(std::shared_ptr<const void> keeper) { keeper_ = std::move(keeper); }
  // No more rows.
  void seal() { sealed_ = true; }
  // Reads its rows, which are the same, from here on; its own memory of them is freed.
  void rebase(const MatrixView& rows, std::shared_ptr<const void> keeper);
  // Codes of its rows. No rows come any more.
  void set_codes(StoredCodes codes) { stored_ = std::move(codes); }
  // Builds what is missing. Throws std::invalid_argument "<name> must be finite, got nan or inf
  // in row <first_row + i>".
  void require(const PlaneNeeds& needs, const Kernels& kernels, const std::string& name,
               std::size_t first_row);

  bool has(const PlaneNeeds& needs) const;
  PlaneNeeds built() const;
  // Frees every plane that is not among the needs; it is built again when it is needed again.
  void keep(const PlaneNeeds& needs);

  const SignPlane& sign_plane() const { return sign_plane_; }
  // Whole codes, sign_row_stride() bytes apart, unless each sign is kept once.
  const std::uint8_t* sign_rows() const { return sign_rows_.data(); }
  bool signs_are_split() const { return sign_rows_.n_skipped() > 0; }
  // Writes whole codes of these rows, one behind the other.
  void gather_signs(const std::uint32_t* rows, std::size_t n, std::uint8_t* out) const {
    sign_rows_.gather(sign_plane_, rows, n, out);
  }
  std::size_t sign_row_stride() const { return (dim() + 63) / 64 * 8; }
  const std::uint8_t* int8_rows() const {
    return int8_map_.is_empty() ? int8_rows_.data() : int8_map_.data();
  }
  std::size_t int8_row_stride() const { return (dim() + 63) / 64 * 64; }
  const float* int8_scales() const { return int8_scales_.data(); }
  // Length of (row - what its int8 codes say) / length of the row; 0 for zero rows.
  const float* int8_errors() const { return int8_errors_.data(); }
  // 1 / length of the first dims values of each row, 0 where that is 0.
  const float* inverse_norms(std::size_t dims) const { return inverse_norms_.at(dims).data(); }

  const Projection& projection() const { return projection_; }
  const RowCopies& copies() const { return copies_; }

  std::size_t float_bytes() const;  // in memory of its own
  std::size_t plane_bytes() const;  // capacity held by all planes, not what is mapped

 private:
  void mark_all_alive();
  void forget_following_ids();  // 8 bytes a row that say nothing
  void reserve(std::size_t n_rows);
  void build(const PlaneNeeds& needs, std::size_t first, std::size_t end, const Kernels& kernels,
             const std::string& name, std::size_t first_row);
  void drop(const PlaneNeeds& needs);
  // Makes what it can without reading floats, and takes it off the needs.
  void take_stored(PlaneNeeds& needs);
  void take_stored_signs(PlaneNeeds& needs);
  void take_stored_int8(PlaneNeeds& needs);
  SignRows new_sign_rows(std::size_t n_slices) const;  // of the plane beside them
  PlaneNeeds missing(const PlaneNeeds& needs) const;

  MatrixView rows_;
  bool owns_rows_ = true;
  bool sealed_ = false;
  std::shared_ptr<const void> keeper_;
  AlignedBuffer owned_;
  std::size_t capacity_ = 0;  // rows the owned memory and the planes have room for
  StoredCodes stored_;
  std::int64_t first_id_ = 0;
  std::vector<std::int64_t> ids_;  // none where they follow first_id_ one by one
  std::vector<std::uint64_t> alive_;
  std::size_t n_alive_ = 0;

  SignPlane sign_plane_;
  bool signs_once_ = false;
  SignRows sign_rows_;
  AlignedBuffer int8_rows_;
  FileMap int8_map_;  // instead of them, see take_stored_int8
  std::vector<float> int8_scales_;
  std::vector<float> int8_errors_;
  std::map<std::size_t, std::vector<float>> inverse_norms_;
  Projection projection_;
  RowCopies copies_;
};

}  // namespace ff
