// Kernel family: score every row of a sign-bit plane against queries, keep the rows that pass.
//
// Layout of the plane. Rows come in blocks of 64. A slice holds 64 dims of all blocks; the cell of
// one block in one slice is 8 x 64 bytes, byte-major: byte [j][r] holds dims 8j..8j+7 of row r, the
// first dim in the highest bit. Cells are 64-byte aligned. So a register of 64 bytes holds the same
// 8 dims of 64 rows, a score needs no horizontal sum, and a prefix reads its slices and nothing
// else.
//
//     slices + s * slice_stride + b * 512 + j * 64 + r
//
// Score. A query has a signed integer weight a dim; the score of a row is the sum of |weight| over
// the dims whose bit agrees with the weight's sign (set for positive). With weights of +-1 this is
// dims - Hamming distance; with rounded query values it is the asymmetric score (float query, 1-bit
// rows). Every instruction set looks the sums of a few dims up at a time: make_tables writes what
// its scan reads. Where bits can be counted faster, Hamming distances are.
//
// Range limits, which the maker of the weights keeps (stages/query_codes.cpp): within each 64 dims
// |weight| sums to at most 255 (kMaxCellScore), over all dims to at most 32767, so that 8-bit
// partial sums and 16-bit totals never wrap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

inline constexpr std::size_t kBlockRows = 64;
inline constexpr std::size_t kCellBytes = 512;  // one block in one slice
inline constexpr std::size_t kSliceDims = 64;
inline constexpr int kMaxCellScore = 255;
inline constexpr int kMaxScanScore = 32767;

// Blocks of one plane. n_slices >= 1. Bit r of alive[b] says whether row r of block b counts;
// null: all do. Blocks without a bit are skipped unread.
struct SignBlocks {
  const std::uint8_t* slices;
  std::size_t slice_stride;
  std::size_t n_slices;
  std::size_t n_blocks;
  const std::uint64_t* alive;
  std::uint32_t first_row;  // the row number of row 0 of block 0
};

// One query of a scan. Rows with score >= threshold (0..32767) are written to rows/scores from
// index count on, in row order; room for n_blocks * 64 more is the caller's duty.
struct SignQuery {
  // scan: 64-byte aligned, n_slices * slice_table_bytes, of the same set. count: n_slices * 8
  // bytes.
  const std::uint8_t* tables;
  std::uint32_t* rows;
  std::uint16_t* scores;
  std::uint32_t count;
  std::uint16_t threshold;
};

struct SignScanKernels {
  IsaLevel isa;
  std::size_t slice_table_bytes;  // tables of one query for one slice, a multiple of 64
  // weights: n_slices * 64, 0 past the last dim.
  void (*make_tables)(const std::int16_t* weights, std::size_t n_slices, std::uint8_t* tables);
  void (*scan)(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries);
  // The same with the score popcount(row ^ tables): the bits that agree with a code, if tables are
  // its complement, 0 past the last dim. Null where look-ups with weights of +-1 are no slower.
  void (*count)(const SignBlocks& blocks, SignQuery* queries, std::size_t n_queries);
};

}  // namespace ff
