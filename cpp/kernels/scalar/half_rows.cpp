// The meaning of half-precision rows, in plain C++: widen, then one multiply and one add a dim.
#include "kernels/half_rows.hpp"

#include <cstring>

#include "kernels/scalar/float16.hpp"

namespace ff {
namespace {

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  return bits;
}

float from_bf16(std::uint16_t half) { return float_of(std::uint32_t{half} << 16); }

// bits >> shift, to the nearest, ties to even.
std::uint32_t shift_rounded(std::uint32_t bits, unsigned shift) {
  const std::uint32_t half = 1U << (shift - 1), rest = bits & ((1U << shift) - 1);
  const std::uint32_t down = bits >> shift;
  return down + ((rest > half || (rest == half && (down & 1U) != 0)) ? 1U : 0U);
}

std::uint16_t to_bf16(float value) {
  const std::uint32_t bits = bits_of(value);
  if (value != value) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>(shift_rounded(bits, 16));
}

std::uint16_t to_f16(float value) {
  const std::uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffffU;
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  if (value != value)
    return static_cast<std::uint16_t>(sign | 0x7e00U | (magnitude >> 13 & 0x3ffU));
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65536
  if (magnitude >= 0x38800000U)  // 2^-14: normal, and rounding up may carry into the exponent
    return static_cast<std::uint16_t>(sign | shift_rounded(magnitude - (112U << 23), 13));
  const unsigned exponent = magnitude >> 23;
  if (exponent < 102) return static_cast<std::uint16_t>(sign);  // below half of 2^-24
  const std::uint32_t fraction = (magnitude & 0x7fffffU) | 0x800000U;
  return static_cast<std::uint16_t>(sign | shift_rounded(fraction, 126 - exponent));
}

template <float (*widened)(std::uint16_t)>
void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto* row = reinterpret_cast<const std::uint16_t*>(
        static_cast<const char*>(rows) + static_cast<std::ptrdiff_t>(ids[i]) * row_stride);
    float dot = 0, square = 0;
    for (std::size_t d = begin; d < end; ++d) {
      const float value = widened(row[d]);
      dot += query[d] * value;
      square += value * value;
    }
    dots[i] += dot;
    squares[i] += square;
  }
}

void widen_bf16(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = from_bf16(in[i]);
}

void narrow_f16(const float* in, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = to_f16(in[i]);
}

void narrow_bf16(const float* in, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = to_bf16(in[i]);
}

}  // namespace

extern const HalfRowKernels kHalfRowsScalar = {
    IsaLevel::scalar, rescore<from_f16>, rescore<from_bf16>, widen_bf16, narrow_f16, narrow_bf16};

}  // namespace ff
