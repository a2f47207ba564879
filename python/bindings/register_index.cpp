// The index of the core.
#include <stdexcept>

#include "index/index.hpp"
#include "numpy_args.hpp"
#include "register.hpp"
#include "threads/thread_pool.hpp"

namespace {

ff::RowFormat as_format(const std::string& floats, const std::vector<std::string>& codes,
                        bool signs_once) {
  ff::RowFormat format = {element_named(floats), false, false, signs_once};
  for (const std::string& code : codes) {
    if (code != "b1" && code != "i8") throw std::invalid_argument("codes must be b1 or i8");
    (code == "b1" ? format.signs : format.int8) = true;
  }
  return format;
}

void check(const ff::Index& index, const py::array& vectors, const IdArray& ids, bool upsert) {
  const ff::MatrixView rows = rows_with_ids(index, vectors, ids);
  const std::int64_t* first_id = ids.data();
  const py::gil_scoped_release unlocked;
  index.check(rows, first_id, upsert, ff::kernels_for(ff::resolve_isa()));
}

void add(ff::Index& index, const py::array& vectors, const IdArray& ids) {
  const ff::MatrixView rows = rows_with_ids(index, vectors, ids);
  const std::int64_t* first_id = ids.data();
  const py::gil_scoped_release unlocked;
  index.add(rows, first_id, ff::kernels_for(ff::resolve_isa()));
}

std::size_t upsert(ff::Index& index, const py::array& vectors, const IdArray& ids) {
  const ff::MatrixView rows = rows_with_ids(index, vectors, ids);
  const std::int64_t* first_id = ids.data();
  const py::gil_scoped_release unlocked;
  return index.upsert(rows, first_id, ff::kernels_for(ff::resolve_isa()));
}

std::size_t remove_rows(ff::Index& index, const IdArray& ids) {
  const std::int64_t* first_id = ids.data();
  const std::size_t n = length(ids);
  const py::gil_scoped_release unlocked;
  return index.remove(first_id, n);
}

py::array get(const ff::Index& index, const IdArray& ids) {
  py::array_t<float> rows({length(ids), index.dim()});
  float* out = rows.mutable_data();
  const std::int64_t* first_id = ids.data();
  {
    const py::gil_scoped_release unlocked;
    index.get(first_id, length(ids), ff::kernels_for(ff::resolve_isa()), out);
  }
  return rows;
}

IdArray locate(const ff::Index& index, const IdArray& ids) {
  std::vector<std::int64_t> rows;
  const std::int64_t* first_id = ids.data();
  {
    const py::gil_scoped_release unlocked;
    rows = index.locate(first_id, length(ids));
  }
  return id_array(rows);
}

IdArray all_ids(const ff::Index& index) {
  std::vector<std::int64_t> ids;
  {
    const py::gil_scoped_release unlocked;
    ids = index.ids();
  }
  return id_array(ids);
}

// Which rows may answer: ids, flags, or neither for all.
ff::Which which_rows(const std::optional<IdArray>& ids, const std::optional<FlagArray>& pass) {
  if (ids) return {ids->data(), nullptr, length(*ids)};
  if (pass) return {nullptr, pass->data(), length(*pass)};
  return {};
}

py::tuple search(ff::Index& index, const QueryArray& queries, std::size_t k,
                 const std::optional<std::vector<StageTuple>>& stages, unsigned n_threads,
                 const std::optional<std::string>& isa, const std::optional<IdArray>& ids,
                 const std::optional<FlagArray>& pass) {
  const ff::Queries views = as_queries(queries, index.dim());
  const ff::Kernels& kernels = as_kernels(isa);
  const ff::Which which = which_rows(ids, pass);
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
      index.search(funnel, views, which, {kernels, n_threads}, out);
    else
      index.search_exactly(views, which, {kernels, n_threads}, out);
  }
  return results.release();
}

void set_basis(ff::Index& index, const QueryArray& directions, double defect,
               std::vector<std::size_t> steps) {
  const ff::Queries rows = as_queries(directions, index.dim());
  if (rows.count < 1 || rows.count > rows.dim || !(defect >= 0))
    throw std::invalid_argument("directions must be 1 to dim rows, defect at least 0");
  ff::Basis basis{rows.count,
                  rows.dim,
                  {rows.data, rows.data + rows.count * rows.dim},
                  defect,
                  std::move(steps)};
  const py::gil_scoped_release unlocked;
  index.set_basis(std::move(basis));
}

// (n,) ids for all queries, or (n_queries, n).
py::array_t<double> rescore(const ff::Index& index, const IdArray& ids, const QueryArray& queries,
                            unsigned n_threads) {
  const ff::Queries views = as_queries(queries, index.dim());
  const bool per_query = ids.ndim() == 2;
  if (ids.ndim() < 1 || ids.ndim() > 2 ||
      (per_query && static_cast<std::size_t>(ids.shape(0)) != views.count))
    throw std::invalid_argument("candidate ids must be 1-D, or a row for each query");
  const auto n = static_cast<std::size_t>(ids.shape(ids.ndim() - 1));
  py::array_t<double> scores({views.count, n});
  double* out = scores.mutable_data();
  const std::int64_t* first_id = ids.data();
  {
    const py::gil_scoped_release unlocked;
    index.rescore(views, first_id, n, per_query, {ff::kernels_for(ff::resolve_isa()), n_threads},
                  out);
  }
  return scores;
}

// [(rows scored, seconds)] a stage, for one query on one thread.
py::list trace(ff::Index& index, const QueryArray& query, std::size_t k,
               const std::vector<StageTuple>& stages, const std::optional<IdArray>& ids,
               const std::optional<FlagArray>& pass) {
  const ff::Queries views = as_queries(query, index.dim());
  const ff::Funnel funnel = as_funnel(stages);
  ff::validate(funnel, index.dim(), k);
  const ff::Which which = which_rows(ids, pass);
  ResultArrays results(views.count, k);
  const ff::Results out = results.view();
  std::vector<ff::StageTrace> traces;
  {
    const py::gil_scoped_release unlocked;
    index.search(funnel, views, which, {ff::kernels_for(ff::resolve_isa()), 1, nullptr, &traces},
                 out);
  }
  py::list list;
  for (const ff::StageTrace& stage : traces) list.append(py::make_tuple(stage.rows, stage.seconds));
  return list;
}

}  // namespace

void register_index(py::module_& m) {
  using Unlocked = py::call_guard<py::gil_scoped_release>;
  py::class_<ff::Index> bound(m, "Index");
  register_storage(m, bound);
  bound
      .def(py::init([](std::size_t dim, const std::string& metric, const std::string& floats,
                       const std::vector<std::string>& codes, bool signs_once) {
             return std::make_unique<ff::Index>(dim, as_metric(metric),
                                                as_format(floats, codes, signs_once));
           }),
           py::arg("dim"), py::arg("metric") = "cosine", py::arg("float_dtype") = "f32",
           py::arg("codes") = std::vector<std::string>{"b1", "i8"}, py::arg("signs_once") = false)
      .def_property_readonly("dim", &ff::Index::dim)
      .def("__len__", &ff::Index::size, Unlocked())
      .def("extent", &ff::Index::extent, Unlocked())
      .def("__contains__", &ff::Index::contains, Unlocked())
      .def("check", &check, py::arg("vectors"), py::arg("ids"), py::arg("upsert"))
      .def("add", &add, py::arg("vectors"), py::arg("ids"))
      .def("upsert", &upsert, py::arg("vectors"), py::arg("ids"))
      .def("remove", &remove_rows, py::arg("ids"))
      .def(
          "compact",
          [](ff::Index& index) {
            return index.compact(ff::kernels_for(ff::resolve_isa()), ff::available_cores());
          },
          Unlocked())
      .def("replace", &ff::Index::replace, py::arg("other"), Unlocked())
      .def("get", &get, py::arg("ids"))
      .def("locate", &locate, py::arg("ids"))
      .def("ids", &all_ids)
      .def("sizes",
           [](const ff::Index& index) {
             ff::IndexSizes sizes;
             {
               const py::gil_scoped_release unlocked;
               sizes = index.sizes();
             }
             return py::make_tuple(sizes.float_bytes, sizes.plane_bytes);
           })
      .def(
          "keep_planes",
          [](ff::Index& index, const std::vector<std::vector<StageTuple>>& funnels, bool exact) {
            std::vector<ff::Funnel> kept;
            for (const auto& stages : funnels) {
              kept.push_back(as_funnel(stages));
              ff::validate(kept.back(), index.dim(), 1);
            }
            const py::gil_scoped_release unlocked;
            index.keep_planes(kept, exact);
          },
          py::arg("funnels"), py::arg("exact"))
      .def("search", &search, py::arg("queries"), py::arg("k"), py::arg("stages"),
           py::arg("n_threads"), py::arg("isa"), py::arg("filter_ids") = py::none(),
           py::arg("filter_flags") = py::none())
      .def("set_basis", &set_basis, py::arg("directions"), py::arg("defect"), py::arg("steps"))
      .def(
          "lengths",
          [](ff::Index& index) {
            return index.lengths(ff::kernels_for(ff::resolve_isa()), ff::available_cores());
          },
          Unlocked())
      .def("rescore", &rescore, py::arg("ids"), py::arg("queries"), py::arg("n_threads"))
      .def("trace", &trace, py::arg("query"), py::arg("k"), py::arg("stages"),
           py::arg("filter_ids") = py::none(), py::arg("filter_flags") = py::none());
}
