#include "arrays/float_rows.hpp"

#include <cmath>

namespace ff {

const float* FloatRows::row(std::size_t i, std::size_t dim) {
  const std::byte* source = rows_.row(i);
  if (rows_.element == Element::f32) return reinterpret_cast<const float*>(source);
  scratch_.resize(rows_.dim);
  switch (rows_.element) {
    case Element::f64: {
      const auto* values = reinterpret_cast<const double*>(source);
      for (std::size_t d = 0; d < dim; ++d) scratch_[d] = static_cast<float>(values[d]);
      break;
    }
    case Element::f16:
      kernels_.encode.widen_f16(reinterpret_cast<const std::uint16_t*>(source), dim,
                                scratch_.data());
      break;
    case Element::i8: {
      const auto* values = reinterpret_cast<const std::int8_t*>(source);
      for (std::size_t d = 0; d < dim; ++d) scratch_[d] = static_cast<float>(values[d]);
      break;
    }
    case Element::f32:
      break;
  }
  return scratch_.data();
}

namespace {

template <class Value>
double cosine(const Value* row, const float* query, std::size_t dims) {
  double dot = 0, row_squares = 0, query_squares = 0;
  for (std::size_t d = 0; d < dims; ++d) {
    const double x = static_cast<double>(row[d]), y = static_cast<double>(query[d]);
    dot += x * y;
    row_squares += x * x;
    query_squares += y * y;
  }
  const double lengths = std::sqrt(row_squares) * std::sqrt(query_squares);
  return lengths > 0 ? dot / lengths : 0;
}

}  // namespace

double cosine_in_double(const MatrixView& rows, std::size_t i, const float* query, std::size_t dims,
                        const Kernels& kernels) {
  if (rows.element == Element::f64)
    return cosine(reinterpret_cast<const double*>(rows.row(i)), query, dims);
  FloatRows reader(rows, kernels);
  return cosine(reader.row(i, dims), query, dims);
}

}  // namespace ff
