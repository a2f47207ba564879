// Rows that somebody else owns: where they lie and what they are made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ff {

enum class Element { f32, f64, f16, i8 };

// n_rows x dim values; rows are row_stride bytes apart (any sign), values inside a row are
// contiguous. A prefix of dims is the same view with a smaller dim: no copy.
struct MatrixView {
  const std::byte* data = nullptr;
  Element element = Element::f32;
  std::size_t n_rows = 0;
  std::size_t dim = 0;
  std::ptrdiff_t row_stride = 0;

  const std::byte* row(std::size_t i) const {
    return data + static_cast<std::ptrdiff_t>(i) * row_stride;
  }
  MatrixView rows(std::size_t first, std::size_t count) const {
    return {row(first), element, count, dim, row_stride};
  }
};

// n_rows packed codes of n_bytes bytes each, row_stride bytes apart.
struct CodeView {
  const std::uint8_t* data = nullptr;
  std::size_t n_rows = 0;
  std::size_t n_bytes = 0;
  std::ptrdiff_t row_stride = 0;

  const std::uint8_t* row(std::size_t i) const {
    return data + static_cast<std::ptrdiff_t>(i) * row_stride;
  }
  CodeView rows(std::size_t first, std::size_t count) const {
    return {row(first), count, n_bytes, row_stride};
  }
};

}  // namespace ff
