// Rows of any element type, read as float32.
#pragma once

#include <vector>

#include "arrays/matrix_view.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

// Reads one row at a time. float32 rows are returned in place; others are converted into a scratch
// row that the next call overwrites. One reader a thread.
class FloatRows {
 public:
  FloatRows(const MatrixView& rows, const Kernels& kernels) : rows_(rows), kernels_(kernels) {}

  // The first dim values of row i; dim at most the view's.
  const float* row(std::size_t i, std::size_t dim);
  const float* row(std::size_t i) { return row(i, rows_.dim); }

 private:
  MatrixView rows_;
  const Kernels& kernels_;
  std::vector<float> scratch_;
};

// Cosine of the first dims values of row i with those of the query, all in float64; 0 if either is
// zero there.
double cosine_in_double(const MatrixView& rows, std::size_t i, const float* query, std::size_t dims,
                        const Kernels& kernels);

}  // namespace ff
