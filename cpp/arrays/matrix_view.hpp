// Rows that somebody else owns: where they lie and what they are made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ff {

class RowFile;

enum class Element { f32, f64, f16, bf16, i8 };

inline std::size_t element_bytes(Element element) {
  switch (element) {
    case Element::f64:
      return 8;
    case Element::f32:
      return 4;
    case Element::f16:
    case Element::bf16:
      return 2;
    case Element::i8:
      return 1;
  }
  return 0;
}

// n_rows x dim values; rows are row_stride bytes apart (any sign), values inside a row are
// contiguous. A prefix of dims is the same view with a smaller dim: no copy.
//
// The rows lie in memory, at data, or in a file, from file_offset on, one behind the other. Read
// them through FloatRows unless data is known not to be null.
struct MatrixView {
  const std::byte* data = nullptr;
  Element element = Element::f32;
  std::size_t n_rows = 0;
  std::size_t dim = 0;
  std::ptrdiff_t row_stride = 0;
  const RowFile* file = nullptr;
  std::uint64_t file_offset = 0;

  const std::byte* row(std::size_t i) const {
    return data + static_cast<std::ptrdiff_t>(i) * row_stride;
  }
  std::uint64_t offset_of(std::size_t i) const {
    return file_offset + i * static_cast<std::uint64_t>(row_stride);
  }
  MatrixView rows(std::size_t first, std::size_t count) const {
    MatrixView part = *this;
    part.n_rows = count;
    if (file != nullptr)
      part.file_offset = offset_of(first);
    else
      part.data = row(first);
    return part;
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
