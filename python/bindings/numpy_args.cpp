#include "numpy_args.hpp"

#include <stdexcept>

namespace {

std::size_t extent(const py::array& array, int axis) {
  return static_cast<std::size_t>(array.shape(axis));
}

void require_2d(const py::array& array, const char* name) {
  if (array.ndim() != 2)
    throw std::invalid_argument(std::string(name) + " must be a 2-D array, got " +
                                std::to_string(array.ndim()) + "-D");
  if (array.shape(1) > 1 && array.strides(1) != array.itemsize())
    throw std::invalid_argument(std::string(name) + " must have contiguous rows");
}

ff::Element element_of(const py::dtype& type) {
  const char kind = type.kind();
  const auto size = type.itemsize();
  if (kind == 'f' && size == 4) return ff::Element::f32;
  if (kind == 'f' && size == 8) return ff::Element::f64;
  if (kind == 'f' && size == 2) return ff::Element::f16;
  if (kind == 'i' && size == 1) return ff::Element::i8;
  if (kind == 'u' && size == 2) return ff::Element::bf16;  // NumPy has no name for it
  throw py::type_error("rows must be float32, float64, float16, bfloat16 or int8");
}

ff::Precision precision_of(const std::string& name) {
  if (name == "f32") return ff::Precision::f32;
  if (name == "i8") return ff::Precision::i8;
  if (name == "b1") return ff::Precision::b1;
  throw std::invalid_argument("precision must be f32, i8 or b1, got '" + name + "'");
}

}  // namespace

ff::MatrixView as_rows(const py::array& rows) {
  require_2d(rows, "rows");
  return {static_cast<const std::byte*>(rows.data()), element_of(rows.dtype()), extent(rows, 0),
          extent(rows, 1), static_cast<std::ptrdiff_t>(rows.strides(0))};
}

ff::MatrixView rows_with_ids(const ff::Index& index, const py::array& vectors, const IdArray& ids) {
  const ff::MatrixView rows = as_rows(vectors);
  if (rows.dim != index.dim() || length(ids) != rows.n_rows)
    throw std::invalid_argument("vectors and ids must fit the index");
  return rows;
}

ff::Element element_named(const std::string& name) {
  if (name == "f32") return ff::Element::f32;
  if (name == "f16") return ff::Element::f16;
  if (name == "bf16") return ff::Element::bf16;
  throw std::invalid_argument("float_dtype must be f32, f16 or bf16, got '" + name + "'");
}

IdArray id_array(const std::vector<std::int64_t>& ids) {
  return IdArray(static_cast<py::ssize_t>(ids.size()), ids.data());
}

ff::Queries as_queries(const QueryArray& queries, std::size_t dim) {
  require_2d(queries, "queries");
  if (extent(queries, 1) != dim)
    throw std::invalid_argument("queries must have " + std::to_string(dim) + " dims, got " +
                                std::to_string(extent(queries, 1)));
  return {queries.data(), extent(queries, 0), dim};
}

ff::CodeView as_codes(const py::array& codes) {
  require_2d(codes, "codes");
  if (codes.dtype().kind() != 'u' || codes.itemsize() != 1)
    throw py::type_error("codes must be uint8");
  return {static_cast<const std::uint8_t*>(codes.data()), extent(codes, 0), extent(codes, 1),
          static_cast<std::ptrdiff_t>(codes.strides(0))};
}

ff::Metric as_metric(const std::string& name) {
  if (name == "cosine") return ff::Metric::cosine;
  if (name == "ip") return ff::Metric::inner_product;
  if (name == "l2") return ff::Metric::l2;
  throw std::invalid_argument("metric must be cosine, ip or l2, got '" + name + "'");
}

ff::Funnel as_funnel(const std::vector<StageTuple>& stages) {
  ff::Funnel funnel;
  for (const auto& [dims, precision, symmetric, keep] : stages)
    funnel.push_back({dims, precision_of(precision), symmetric, keep});
  return funnel;
}

const ff::Kernels& as_kernels(const std::optional<std::string>& isa) {
  return ff::kernels_for(ff::resolve_isa(isa));
}

ResultArrays::ResultArrays(std::size_t n_queries, std::size_t k)
    : ids({n_queries, k}), scores({n_queries, k}) {}

ff::Results ResultArrays::view() {
  return {ids.mutable_data(), scores.mutable_data(), extent(ids, 1)};
}
