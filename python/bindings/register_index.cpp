// The index of the core.
#include <stdexcept>

#include "index/index.hpp"
#include "numpy_args.hpp"
#include "register.hpp"

namespace {

std::size_t length(const IdArray& ids) { return static_cast<std::size_t>(ids.size()); }

void add(ff::Index& index, const py::array& vectors, const IdArray& ids) {
  const ff::MatrixView rows = as_rows(vectors);
  if (rows.dim != index.dim() || length(ids) != rows.n_rows)
    throw std::invalid_argument("vectors and ids must fit the index");
  const ff::Kernels& kernels = as_kernels(std::nullopt);
  const std::int64_t* first_id = ids.data();
  const py::gil_scoped_release unlocked;
  index.add(rows, first_id, kernels);
}

void adopt(ff::Index& index, const QueryArray& vectors, const IdArray& ids) {
  const ff::MatrixView rows = as_rows(vectors);
  if (rows.dim != index.dim() || length(ids) != rows.n_rows)
    throw std::invalid_argument("vectors and ids must fit the index");
  const std::int64_t* first_id = ids.data();
  const py::gil_scoped_release unlocked;
  index.adopt(rows, first_id);
}

py::array get(const ff::Index& index, const IdArray& ids) {
  py::array_t<float> rows({length(ids), index.dim()});
  float* out = rows.mutable_data();
  const std::int64_t* first_id = ids.data();
  {
    const py::gil_scoped_release unlocked;
    index.get(first_id, length(ids), out);
  }
  return rows;
}

IdArray all_ids(const ff::Index& index) {
  std::vector<std::int64_t> ids;
  {
    const py::gil_scoped_release unlocked;
    ids = index.ids();
  }
  return IdArray(static_cast<py::ssize_t>(ids.size()), ids.data());
}

py::tuple search(ff::Index& index, const QueryArray& queries, std::size_t k,
                 const std::optional<std::vector<StageTuple>>& stages, unsigned n_threads,
                 const std::optional<std::string>& isa) {
  const ff::Queries views = as_queries(queries, index.dim());
  const ff::Kernels& kernels = as_kernels(isa);
  ff::Funnel funnel;
  if (stages) {
    funnel = as_funnel(*stages);
    ff::validate(funnel, index.dim(), k);
  }
  ResultArrays results(views.count, k);
  const ff::Results out = results.view();
  {
    const py::gil_scoped_release unlocked;
    if (stages)
      index.search(funnel, views, {kernels, n_threads}, out);
    else
      index.search_exactly(views, {kernels, n_threads}, out);
  }
  return results.release();
}

// [(rows scored, seconds)] a stage, for one query on one thread.
py::list trace(ff::Index& index, const QueryArray& query, std::size_t k,
               const std::vector<StageTuple>& stages) {
  const ff::Queries views = as_queries(query, index.dim());
  const ff::Funnel funnel = as_funnel(stages);
  ff::validate(funnel, index.dim(), k);
  ResultArrays results(views.count, k);
  const ff::Results out = results.view();
  std::vector<ff::StageTrace> traces;
  {
    const py::gil_scoped_release unlocked;
    index.search(funnel, views, {ff::kernels_for(ff::resolve_isa()), 1, nullptr, &traces}, out);
  }
  py::list list;
  for (const ff::StageTrace& stage : traces) list.append(py::make_tuple(stage.rows, stage.seconds));
  return list;
}

}  // namespace

void register_index(py::module_& m) {
  py::class_<ff::Index>(m, "Index")
      .def(py::init<std::size_t>(), py::arg("dim"))
      .def_property_readonly("dim", &ff::Index::dim)
      .def("__len__", &ff::Index::size, py::call_guard<py::gil_scoped_release>())
      .def("__contains__", &ff::Index::contains, py::call_guard<py::gil_scoped_release>())
      .def("add", &add, py::arg("vectors"), py::arg("ids"))
      // The array lives as long as the index: the rows are read in place.
      .def("adopt", &adopt, py::arg("vectors").noconvert(), py::arg("ids"), py::keep_alive<1, 2>())
      .def("get", &get, py::arg("ids"))
      .def("ids", &all_ids)
      .def("sizes",
           [](const ff::Index& index) {
             const ff::IndexSizes sizes = index.sizes();
             return py::make_tuple(sizes.float_bytes, sizes.plane_bytes);
           })
      .def("search", &search, py::arg("queries"), py::arg("k"), py::arg("stages"),
           py::arg("n_threads"), py::arg("isa"))
      .def("trace", &trace, py::arg("query"), py::arg("k"), py::arg("stages"));
}
