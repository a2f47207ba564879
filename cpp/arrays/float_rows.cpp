#include "arrays/float_rows.hpp"

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

void read_double_row(const MatrixView& rows, std::size_t i, const Kernels& kernels, double* out) {
  if (rows.element == Element::f64) {
    const auto* values = reinterpret_cast<const double*>(rows.row(i));
    for (std::size_t d = 0; d < rows.dim; ++d) out[d] = values[d];
    return;
  }
  FloatRows reader(rows, kernels);
  const float* values = reader.row(i);
  for (std::size_t d = 0; d < rows.dim; ++d) out[d] = static_cast<double>(values[d]);
}

}  // namespace ff
