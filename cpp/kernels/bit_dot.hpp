// Kernel family: asymmetric rescoring, int8 queries against gathered sign-bit rows.
//
// A row is packed sign bits, first dim in the highest bit of the first byte, row_stride bytes apart
// (a multiple of 8); bits past the last dim are 0. sums[i] is the sum of query[d] over the set
// bits, so sum(+-query[d]) = 2 * sums[i] - sum(query). Query values lie in [-127, 127] and are 0
// past the last dim; the query is 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

struct BitDotKernels {
  IsaLevel isa;

  // For each i < n: sums[i] += sum of query[d] over set bits d in [begin, end) of the row at
  // codes + ids[i] * row_stride. begin and end are multiples of 64.
  void (*rescore)(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
                  std::int32_t* sums);
};

}  // namespace ff
