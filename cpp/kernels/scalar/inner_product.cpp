// The meaning of float inner products, in plain C++: one multiply and one add a dim.
#include "kernels/inner_product.hpp"

namespace ff {
namespace {

const float* row_at(const void* rows, std::ptrdiff_t row_stride, std::size_t row) {
  return reinterpret_cast<const float*>(static_cast<const char*>(rows) +
                                        static_cast<std::ptrdiff_t>(row) * row_stride);
}

void rescore(const float* query, const void* rows, std::ptrdiff_t row_stride,
             const std::uint32_t* ids, std::size_t n, std::size_t begin, std::size_t end,
             float* dots, float* squares) {
  for (std::size_t i = 0; i < n; ++i) {
    const float* row = row_at(rows, row_stride, ids[i]);
    float dot = 0, square = 0;
    for (std::size_t d = begin; d < end; ++d) {
      dot += query[d] * row[d];
      square += row[d] * row[d];
    }
    dots[i] += dot;
    squares[i] += square;
  }
}

void scan(const float* queries, std::size_t query_stride, std::size_t n_queries, const void* rows,
          std::ptrdiff_t row_stride, std::size_t n_rows, std::size_t dim, float* out,
          std::size_t out_stride) {
  for (std::size_t q = 0; q < n_queries; ++q) {
    const float* query = queries + q * query_stride;
    for (std::size_t r = 0; r < n_rows; ++r) {
      const float* row = row_at(rows, row_stride, r);
      float dot = 0;
      for (std::size_t d = 0; d < dim; ++d) dot += query[d] * row[d];
      out[q * out_stride + r] = dot;
    }
  }
}

}  // namespace

extern const InnerProductKernels kInnerProductScalar = {IsaLevel::scalar, 1, rescore, scan};

}  // namespace ff
