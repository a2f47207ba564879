// Kernel family: float32 inner products.
//
// Rows are float32, `row_stride` bytes apart, without alignment. Sums are float32; each instruction
// set adds in its own order, so results agree to rounding (exactly, when every partial sum is an
// integer below 2^24). No range of dims need be a multiple of anything: tails are masked or scalar.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/isa_level.hpp"

namespace ff {

struct InnerProductKernels {
  IsaLevel isa;
  // A sum of n products is made of so many, of n / lanes products each, then added up: its relative
  // error is at most (n / lanes + 16) * 2^-24 of the sum of magnitudes (Higham, Accuracy and
  // Stability of Numerical Algorithms, section 3.1; 16 for tails and the adding up).
  std::size_t lanes;

  // Rescoring: for each i < n, over dims [begin, end) of the row at rows + ids[i] * row_stride,
  //   dots[i]    += sum of query[d] * row[d]
  //   squares[i] += sum of row[d] * row[d]
  // so that a stage adds to what the stage before it has summed. Rows are prefetched ahead.
  void (*rescore)(const float* query, const void* rows, std::ptrdiff_t row_stride,
                  const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
                  float* dots, float* squares);

  // Scan: out[q * out_stride + r] = sum over d < dim of queries[q * query_stride + d] * row_r[d],
  // for all q < n_queries and r < n_rows. query_stride and out_stride count floats.
  void (*scan)(const float* queries, std::size_t query_stride, std::size_t n_queries,
               const void* rows, std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim,
               float* out, std::size_t out_stride);
};

}  // namespace ff
