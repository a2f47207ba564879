// Kernel family: inner products of int8 queries and int8 rows.
//
// Rows hold value + 128 as uint8 (so AVX2's and VNNI's unsigned-by-signed multiply fits), 64-byte
// aligned, row_stride bytes apart (a multiple of 64); bytes past the last dim are 128, the zero.
// Query values lie in [-63, 63]: two products then fit a signed 16-bit lane (2 * 255 * 63 < 32768)
// and vpmaddubsw never saturates, so every instruction set gives the same integer. Past the last
// dim the query is 0. Sums are of query[d] * row_byte[d]: the caller subtracts 128 * sum(query).
// |sum| <= 255 * 63 * dims fits 32 bits up to 133,000 dims.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

inline constexpr int kInt8RowMax = 127;
inline constexpr int kInt8QueryMax = 63;
inline constexpr int kInt8Zero = 128;
inline constexpr std::size_t kInt8Step = 64;  // ranges of dims are multiples of this

using Int8Scan = void(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
                      const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows,
                      std::size_t dim, std::int32_t* out, std::size_t out_stride);

struct Int8DotKernels {
  IsaLevel isa;

  // Rescoring: for each i < n, dots[i] += sum over dims [begin, end) of
  // query[d] * rows[ids[i] * row_stride + d]. begin and end are multiples of 64.
  void (*rescore)(const std::int8_t* query, const std::uint8_t* rows, std::size_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
                  std::int32_t* dots);

  // Scan: out[q * out_stride + r] = sum over d < dim (a multiple of 64), for q < n_queries, r <
  // n_rows.
  Int8Scan* scan;

  // The same for queries with values in [-coarse_max, coarse_max], where fewer bits make a set
  // faster; where they do not, coarse_max is 63 and this is scan. Exact search starts with it.
  Int8Scan* scan_coarse;
  int coarse_max;
};

}  // namespace ff
