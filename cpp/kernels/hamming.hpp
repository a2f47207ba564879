// Kernel family: Hamming distances over packed codes, one row after the other.
//
// A code is n_bytes bytes of packed bits, row_stride bytes apart, without alignment; any width.
// Distances are exact int32 (n_bytes < 2^28).
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

struct HammingKernels {
  IsaLevel isa;

  // out[r] = popcount(query ^ row_r) for r < n_rows.
  void (*distances)(const std::uint8_t* query, const std::uint8_t* codes, std::ptrdiff_t row_stride,
                    std::size_t n_rows, std::size_t n_bytes, std::int32_t* out);

  // out[i] = popcount(query ^ row ids[i]) for i < n.
  void (*distances_at)(const std::uint8_t* query, const std::uint8_t* codes,
                       std::ptrdiff_t row_stride, const std::uint32_t* ids, std::size_t n,
                       std::size_t n_bytes, std::int32_t* out);
};

}  // namespace ff
