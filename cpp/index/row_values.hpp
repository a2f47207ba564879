// Rows on their way into an index, and out of it.
#pragma once

#include "arrays/matrix_view.hpp"
#include "kernels/dispatch.hpp"

namespace ff {

// Throws std::invalid_argument for the first row that is not finite as float32.
void check_finite(const MatrixView& rows, const Kernels& kernels);

// Writes rows [first, first + count) as float32, dim values each.
void copy_floats(const MatrixView& rows, std::size_t first, std::size_t count,
                 const Kernels& kernels, float* out);

}  // namespace ff
