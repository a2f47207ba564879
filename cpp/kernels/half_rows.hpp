// Kernel family: rows of float16 and bfloat16.
//
// float16 is IEEE binary16; bfloat16 is the upper half of a float32. Rows are row_stride bytes
// apart and aligned to their values. Values are widened to float32, which is exact, and summed in
// float32; each instruction set adds in its own order, so results agree to rounding (exactly, when
// every partial sum is an integer below 2^24). Ranges of dims need be no multiple of anything.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

// For each i < n, over dims [begin, end) of the row at rows + ids[i] * row_stride,
//   dots[i]    += sum of query[d] * row[d]
//   squares[i] += sum of row[d] * row[d]
// Rows are prefetched ahead.
using HalfRescore = void(const float* query, const void* rows, std::ptrdiff_t row_stride,
                         const std::uint32_t* ids, std::size_t n, std::size_t begin,
                         std::size_t end, float* dots, float* squares);

struct HalfRowKernels {
  IsaLevel isa;

  HalfRescore* rescore_f16;
  HalfRescore* rescore_bf16;

  // bfloat16 to float32, n values. (float16: kernels/encode.hpp.)
  void (*widen_bf16)(const std::uint16_t* in, std::size_t n, float* out);
  // float32 to the nearest, ties to even; what is too large becomes infinite. nan stays nan.
  void (*narrow_f16)(const float* in, std::size_t n, std::uint16_t* out);
  void (*narrow_bf16)(const float* in, std::size_t n, std::uint16_t* out);
};

}  // namespace ff
