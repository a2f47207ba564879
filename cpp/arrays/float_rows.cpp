#include "arrays/float_rows.hpp"

#include <cstring>

#include "arrays/row_file.hpp"

namespace ff {

// Where rows [first, first + count) can be read as they are stored; without gaps if count > 1 and
// they come from a file.
const std::byte* FloatRows::bytes_of(std::size_t first, std::size_t count) {
  if (rows_.file == nullptr) return rows_.row(first);
  read_.resize(count * static_cast<std::size_t>(rows_.row_stride));
  rows_.file->read(rows_.offset_of(first), read_.size(), read_.data());
  return read_.data();
}

void FloatRows::widen(const std::byte* source, std::size_t n, float* out) const {
  switch (rows_.element) {
    case Element::f32:
      std::memcpy(out, source, n * sizeof(float));
      break;
    case Element::f64: {
      const auto* values = reinterpret_cast<const double*>(source);
      for (std::size_t d = 0; d < n; ++d) out[d] = static_cast<float>(values[d]);
      break;
    }
    case Element::f16:
      kernels_.encode.widen_f16(reinterpret_cast<const std::uint16_t*>(source), n, out);
      break;
    case Element::bf16:
      kernels_.half_rows.widen_bf16(reinterpret_cast<const std::uint16_t*>(source), n, out);
      break;
    case Element::i8: {
      const auto* values = reinterpret_cast<const std::int8_t*>(source);
      for (std::size_t d = 0; d < n; ++d) out[d] = static_cast<float>(values[d]);
      break;
    }
  }
}

const float* FloatRows::row(std::size_t i, std::size_t dim) {
  const std::byte* source = bytes_of(i, 1);
  if (rows_.element == Element::f32) return reinterpret_cast<const float*>(source);
  widened_.resize(rows_.dim);
  widen(source, dim, widened_.data());
  return widened_.data();
}

FloatRows::Run FloatRows::run(std::size_t first, std::size_t count, std::size_t dim) {
  const std::byte* source = bytes_of(first, count);
  if (rows_.element == Element::f32)
    return {reinterpret_cast<const float*>(source), rows_.row_stride};
  widened_.resize(count * dim);
  for (std::size_t r = 0; r < count; ++r)
    widen(source + static_cast<std::ptrdiff_t>(r) * rows_.row_stride, dim,
          widened_.data() + r * dim);
  return {widened_.data(), static_cast<std::ptrdiff_t>(dim * sizeof(float))};
}

void narrow(const float* values, std::size_t n, Element element, const Kernels& kernels,
            std::byte* out) {
  if (element == Element::f16)
    kernels.half_rows.narrow_f16(values, n, reinterpret_cast<std::uint16_t*>(out));
  else if (element == Element::bf16)
    kernels.half_rows.narrow_bf16(values, n, reinterpret_cast<std::uint16_t*>(out));
  else
    std::memcpy(out, values, n * sizeof(float));
}

}  // namespace ff
