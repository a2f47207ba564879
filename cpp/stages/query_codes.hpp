// A query in the form that each precision reads.
#pragma once

#include <cstdint>
#include <vector>

#include "arrays/aligned_buffer.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

// Length of query[0, dims).
float prefix_norm(const float* query, std::size_t dims, const Kernels& kernels);

// What the integer scores of a sign scan (kernels/sign_scan.hpp) say: score * scale + offset
// estimates the cosine. scale is not negative.
struct SignMeaning {
  float scale = 0;
  float offset = 0;
};

// The weights of a sign scan for the first dims dims of a query, padded with 0 to whole slices.
// Asymmetric: the query's values, rounded so that they keep the range limits: 4 on average over 64
// dims, which adds about 1% to the noise that the rows' sign bits have anyway.
SignMeaning asymmetric_weights(const float* query, std::size_t dims, const Kernels& kernels,
                               std::int16_t* weights);

// Symmetric: +-1 for each bit of the query's packed code, so that the score is the number of bits
// that agree (dims - Hamming distance), exactly.
void symmetric_weights(const std::uint8_t* code, std::size_t dims, std::int16_t* weights);
SignMeaning symmetric_meaning(std::size_t dims);

// query[begin, end) as integers in [-limit, limit] at their positions, 0 elsewhere, aligned to 64:
// value = integer * unit. The unit comes from all dim values, so that sums over successive ranges
// of one query may be added.
struct Int8Query {
  AlignedBuffer values;
  std::size_t n_values = 0;  // end, rounded up to a multiple of 64
  float unit = 0;
  std::int32_t sum = 0;  // of the integers

  const std::int8_t* data() const { return reinterpret_cast<const std::int8_t*>(values.data()); }
};
Int8Query make_int8_query(const float* query, std::size_t dim, std::size_t begin, std::size_t end,
                          int limit, const Kernels& kernels);

}  // namespace ff
