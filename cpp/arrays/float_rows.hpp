// Rows of any element type, in memory or in a file, read as float32.
#pragma once

#include <vector>

#include "arrays/matrix_view.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

// Reads a few rows at a time. float32 rows in memory are returned in place; others are brought into
// a scratch that the next call overwrites. One reader a thread.
class FloatRows {
 public:
  FloatRows(const MatrixView& rows, const Kernels& kernels) : rows_(rows), kernels_(kernels) {}

  // The first dim values of row i; dim at most the view's.
  const float* row(std::size_t i, std::size_t dim);
  const float* row(std::size_t i) { return row(i, rows_.dim); }

  // The first dim values of rows [first, first + count), stride bytes apart.
  struct Run {
    const float* values;
    std::ptrdiff_t stride;
  };
  Run run(std::size_t first, std::size_t count, std::size_t dim);

 private:
  const std::byte* bytes_of(std::size_t first, std::size_t count);
  void widen(const std::byte* source, std::size_t n, float* out) const;

  MatrixView rows_;
  const Kernels& kernels_;
  std::vector<std::byte> read_;
  std::vector<float> widened_;
};

// Writes n finite values as f32, f16 or bf16, rounded to nearest, ties to even.
void narrow(const float* values, std::size_t n, Element element, const Kernels& kernels,
            std::byte* out);

}  // namespace ff
