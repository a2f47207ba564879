// The meaning of asymmetric rescoring, in plain C++: one test and one add a dim.
#include "kernels/bit_dot.hpp"

namespace ff {
namespace {

void rescore(const std::int8_t* query, const std::uint8_t* codes, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* sums) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* row = codes + ids[i] * row_stride;
    std::int32_t sum = 0;
    for (std::size_t d = begin; d < end; ++d)
      if (row[d / 8] & (0x80U >> (d % 8))) sum += query[d];
    sums[i] += sum;
  }
}

}  // namespace

extern const BitDotKernels kBitDotScalar = {IsaLevel::scalar, rescore};

}  // namespace ff
