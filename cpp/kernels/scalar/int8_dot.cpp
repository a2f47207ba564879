// The meaning of int8 inner products, in plain C++: one multiply and one add a dim.
#include "kernels/int8_dot.hpp"

namespace ff {
namespace {

std::int32_t dot(const std::int8_t* query, const std::uint8_t* row, std::size_t begin,
                 std::size_t end) {
  std::int32_t sum = 0;
  for (std::size_t d = begin; d < end; ++d) sum += query[d] * row[d];
  return sum;
}

void rescore(const std::int8_t* query, const std::uint8_t* rows, std::size_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             std::int32_t* dots) {
  for (std::size_t i = 0; i < n; ++i) dots[i] += dot(query, rows + ids[i] * row_stride, begin, end);
}

void scan(const std::int8_t* queries, std::size_t query_stride, std::size_t n_queries,
          const std::uint8_t* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
          std::int32_t* out, std::size_t out_stride) {
  for (std::size_t q = 0; q < n_queries; ++q)
    for (std::size_t r = 0; r < n_rows; ++r)
      out[q * out_stride + r] = dot(queries + q * query_stride, rows + r * row_stride, 0, dim);
}

}  // namespace

extern const Int8DotKernels kInt8DotScalar = {IsaLevel::scalar, rescore, scan, scan, kInt8QueryMax};

}  // namespace ff
