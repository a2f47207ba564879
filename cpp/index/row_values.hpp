// Rows on their way into an index, and out of it.
#pragma once

#include "arrays/matrix_view.hpp"
#include "kernels/dispatch.hpp"
#include "planes/corpus.hpp"

namespace ff {

// Throws std::invalid_argument for the first row that is not finite as f32, f16 or bf16.
void check_finite(const MatrixView& rows, Element as, const Kernels& kernels);

// Writes these rows as float32, dim values each, in the order of the list. Those in files are read
// in the order in which they lie there.
void copy_floats(const Corpus& corpus, const std::vector<Row>& rows, const Kernels& kernels,
                 float* out);

// Writes rows [first, first + count) as f32, f16 or bf16, one behind the other.
void copy_rows(const MatrixView& rows, std::size_t first, std::size_t count, Element as,
               const Kernels& kernels, std::byte* out);

}  // namespace ff
