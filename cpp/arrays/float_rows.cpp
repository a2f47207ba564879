#include "arrays/float_rows.hpp"

#include <cmath>

#include "arrays/summing.hpp"

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
  const double lengths =
      std::sqrt(squares_in_double(row, dims)) * std::sqrt(squares_in_double(query, dims));
  return lengths > 0 ? dot_in_double(row, query, dims) / lengths : 0;
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
