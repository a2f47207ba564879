// Kernel family: turn float rows into the codes of the planes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

// Below this the scale's inverse would leave float32.
inline constexpr float kInt8Smallest = 1e-30F;

struct EncodeKernels {
  IsaLevel isa;

  // Sign bits: bit d is row[d] > 0, first dim in the highest bit of the first byte, as in
  // numpy.packbits. Writes ceil(dim / 8) bytes; bits past dim are 0.
  void (*signs)(const float* row, std::size_t dim, std::uint8_t* out);

  // int8: out[d] = 128 + round_to_even(row[d] * (limit / max|row|)), 1 <= limit <= 127. Returns the
  // scale, max|row| / limit (0 for a row without a value above kInt8Smallest, whose codes are all
  // 128). Writes dim bytes.
  float (*int8)(const float* row, std::size_t dim, int limit, std::uint8_t* out);

  // float16 to float32, n values.
  void (*widen_f16)(const std::uint16_t* in, std::size_t n, float* out);
};

}  // namespace ff
