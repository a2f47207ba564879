// Codes that were written when their rows were: planes that need not be made from floats again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "arrays/file_map.hpp"

namespace ff {

// An array in a file, which is open only while it is read: a thousand segments hold no descriptors.
struct StoredArray {
  std::filesystem::path path;  // empty: there is none
  std::uint64_t offset = 0;

  // Bytes [begin, begin + n_bytes) of its values. False if there is none, or not so much of it: a
  // writer may have removed it since.
  bool read(std::size_t begin, std::size_t n_bytes, void* out) const;
  template <class Value>
  bool read(std::vector<Value>& out) const {
    return read(0, out.size() * sizeof(Value), out.data());
  }
  // The first n_bytes of its values, mapped and aligned to 64 as planes are; empty if they are not.
  FileMap map(std::size_t n_bytes) const;
};

// Of the rows of a segment, in the layout of its planes.
struct StoredCodes {
  StoredArray sign_rows;      // sign_row_stride() bytes a row
  StoredArray int8_rows;      // int8_row_stride() bytes a row
  StoredArray int8_scales;    // float32: a scale and an error a row
  StoredArray inverse_norms;  // float32: one for each of norm_dims a row
  std::vector<std::size_t> norm_dims;
};

}  // namespace ff
