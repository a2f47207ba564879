#include "index/row_values.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "arrays/float_rows.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

constexpr std::uint32_t kExponent = 0x7f800000;
constexpr std::size_t kRowsAtOnce = 64;  // between two looks at interrupts

}  // namespace

void check_finite(const MatrixView& rows, const Kernels& kernels) {
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    if (i % kRowsAtOnce == 0) check_interrupt();
    const float* row = reader.row(i);
    std::uint32_t bad = 0;  // the exponent of nan and inf is all ones
    for (std::size_t d = 0; d < rows.dim; ++d)
      bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(row[d]) & kExponent) ==
                                        kExponent);
    if (bad != 0)
      throw std::invalid_argument("vectors must be finite, got nan or inf in row " +
                                  std::to_string(i));
  }
}

void copy_floats(const MatrixView& rows, std::size_t first, std::size_t count,
                 const Kernels& kernels, float* out) {
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kRowsAtOnce == 0) check_interrupt();
    std::memcpy(out + i * rows.dim, reader.row(first + i), rows.dim * sizeof(float));
  }
}

}  // namespace ff
