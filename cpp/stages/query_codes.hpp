// A query in the form that each precision reads.
#pragma once

#include <cstdint>
#include <vector>

#include "arrays/aligned_buffer.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

// Length of query[0, dims).
float prefix_norm(const float* query, std::size_t dims);

// The 4-bit tables of a sign scan (kernels/sign_scan.hpp) and what their integer scores mean.
struct SignTables {
  // score -> estimate of the cosine: score * scale + offset. scale is not negative.
  float scale = 0;
  float offset = 0;
};

// Asymmetric: the score is the sum of +-query[d] over the first dims dims, rounded so that each
// 64 dims fit 8 bits. Rounding adds about 2% to the noise that the rows' sign bits have anyway.
// tables: ceil(dims / 64) * 256 bytes.
SignTables make_asymmetric_tables(const float* query, std::size_t dims, std::uint8_t* tables);

// Symmetric: the score is the number of bits that agree with the query's packed code
// (dims - Hamming distance), exactly.
SignTables make_symmetric_tables(const std::uint8_t* code, std::size_t dims, std::uint8_t* tables);

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
