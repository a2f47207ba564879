// Arrays in, arrays out.
#include <cmath>
#include <limits>

#include "numpy_args.hpp"
#include "register.hpp"
#include "search/exact_search.hpp"
#include "search/funnel_search.hpp"
#include "search/hamming_search.hpp"

namespace {

// From here on an exact search over a bare array is faster with int8 rows made for it.
constexpr std::size_t kMinInt8Queries = 32;

// Whether these are what searches take: an array (n, dim) of float32 in C order, n at least 1,
// every query finite and its largest magnitude within 2^-20 … 2^20.
bool are_queries(const py::array& value, py::ssize_t dim) {
  if (!QueryArray::check_(value)) return false;
  const auto queries = py::reinterpret_borrow<QueryArray>(value);
  if (queries.ndim() != 2 || queries.shape(0) == 0 || queries.shape(1) != dim) return false;
  for (py::ssize_t q = 0; q < queries.shape(0); ++q) {
    const float* query = queries.data(q);
    float largest = 0;
    bool all_numbers = true;
    for (py::ssize_t d = 0; d < queries.shape(1); ++d) {
      const float magnitude = std::fabs(query[d]);
      largest = magnitude > largest ? magnitude : largest;
      all_numbers &= magnitude <= std::numeric_limits<float>::max();
    }
    if (!all_numbers || largest < 0x1p-20F || largest > 0x1p20F) return false;
  }
  return true;
}

py::tuple exact_search(const py::array& base, const QueryArray& queries, std::size_t k,
                       unsigned n_threads, const std::optional<std::string>& isa) {
  const ff::MatrixView rows = as_rows(base);
  const ff::Queries views = as_queries(queries, rows.dim);
  const ff::Kernels& kernels = as_kernels(isa);
  ResultArrays results(views.count, k);
  const ff::Results out = results.view();
  {
    // No Python object is touched from here on: the arguments keep the arrays alive.
    const py::gil_scoped_release unlocked;
    ff::Corpus corpus = ff::Corpus::borrow(rows);
    const ff::ExactScan scan =
        views.count >= kMinInt8Queries ? ff::ExactScan::int8_rows : ff::ExactScan::float_rows;
    corpus.require(ff::exact_needs(corpus, scan), kernels, n_threads, "base");
    ff::exact_search(corpus, scan, views, {kernels, n_threads}, out);
  }
  return results.release();
}

py::tuple funnel_search(const py::array& base, const QueryArray& queries,
                        const std::vector<StageTuple>& stages, std::size_t k, unsigned n_threads,
                        const std::optional<std::string>& isa) {
  const ff::MatrixView rows = as_rows(base);
  const ff::Queries views = as_queries(queries, rows.dim);
  const ff::Kernels& kernels = as_kernels(isa);
  const ff::Funnel funnel = as_funnel(stages);
  ff::validate(funnel, rows.dim, k);
  ResultArrays results(views.count, k);
  const ff::Results out = results.view();
  {
    const py::gil_scoped_release unlocked;
    ff::Corpus corpus = ff::Corpus::borrow(rows);
    // The norms of all dims too: summing them finds values that are not finite.
    ff::PlaneNeeds needs = ff::plane_needs(funnel);
    needs.add_norms(rows.dim);
    corpus.require(needs, kernels, n_threads, "base");
    ff::funnel_search(corpus, funnel, views, {kernels, n_threads}, out);
  }
  return results.release();
}

py::tuple hamming_search(const py::array& codes, const py::array& queries, std::size_t k,
                         unsigned n_threads, const std::optional<std::string>& isa) {
  const ff::CodeView rows = as_codes(codes);
  const ff::CodeView views = as_codes(queries);
  if (views.n_bytes != rows.n_bytes)
    throw std::invalid_argument("codes and query codes must have the same width");
  const ff::Kernels& kernels = as_kernels(isa);
  IdArray ids({views.n_rows, k});
  py::array_t<std::int32_t> distances({views.n_rows, k});
  std::int64_t* ids_out = ids.mutable_data();
  std::int32_t* distances_out = distances.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    ff::hamming_search(rows, views, k, kernels, n_threads, ids_out, distances_out);
  }
  return py::make_tuple(std::move(ids), std::move(distances));
}

}  // namespace

void register_search(py::module_& m) {
  m.def("are_queries", &are_queries, py::arg("value").noconvert(), py::arg("dim"));
  m.def("exact_search", &exact_search, py::arg("base"), py::arg("queries"), py::arg("k"),
        py::arg("n_threads"), py::arg("isa"));
  m.def("funnel_search", &funnel_search, py::arg("base"), py::arg("queries"), py::arg("stages"),
        py::arg("k"), py::arg("n_threads"), py::arg("isa"));
  m.def("hamming_search", &hamming_search, py::arg("codes"), py::arg("queries"), py::arg("k"),
        py::arg("n_threads"), py::arg("isa"));
}
