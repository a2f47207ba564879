// The only place where NumPy arrays become views of the core. The Python layer has checked dtypes,
// shapes and values and says so in words; what is checked again here keeps memory safe.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "arrays/matrix_view.hpp"
#include "index/index.hpp"
#include "isa/isa.hpp"
#include "kernels/dispatch.hpp"
#include "search/results.hpp"
#include "stages/scan.hpp"

namespace py = pybind11;

// The same names as in _core.pyi.
using QueryArray = py::array_t<float, py::array::c_style>;
using CodeArray = py::array_t<std::uint8_t, py::array::c_style>;
using IdArray = py::array_t<std::int64_t, py::array::c_style>;
using FlagArray = py::array_t<bool, py::array::c_style>;
using ScoreArray = py::array_t<float, py::array::c_style>;
// (dims, precision, symmetric, keep or 0)
using StageTuple = std::tuple<std::size_t, std::string, bool, std::size_t>;

// float32, float64, float16, int8 or (as uint16) bfloat16 rows with contiguous values and any row
// stride; no copy.
ff::MatrixView as_rows(const py::array& rows);
// As as_rows; throws std::invalid_argument unless they fit the index and there is an id a row.
ff::MatrixView rows_with_ids(const ff::Index& index, const py::array& vectors, const IdArray& ids);
ff::Queries as_queries(const QueryArray& queries, std::size_t dim);
ff::CodeView as_codes(const py::array& codes);
ff::Metric as_metric(const std::string& name);
ff::Funnel as_funnel(const std::vector<StageTuple>& stages);
const ff::Kernels& as_kernels(const std::optional<std::string>& isa);

// "f32", "f16" or "bf16".
ff::Element element_named(const std::string& name);
IdArray id_array(const std::vector<std::int64_t>& ids);
inline std::size_t length(const py::array& values) {
  return static_cast<std::size_t>(values.size());
}

// Fresh (n_queries, k) arrays that the core fills.
struct ResultArrays {
  ResultArrays(std::size_t n_queries, std::size_t k);
  ff::Results view();
  py::tuple release() { return py::make_tuple(std::move(ids), std::move(scores)); }

  IdArray ids;
  ScoreArray scores;
};
