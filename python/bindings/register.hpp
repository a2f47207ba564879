// What each file of the bindings adds to the module.
#pragma once

#include <pybind11/pybind11.h>

#include "index/index.hpp"

namespace py = pybind11;

void register_isa(py::module_& m);
void register_search(py::module_& m);
void register_index(py::module_& m);
void register_storage(py::module_& m, py::class_<ff::Index>& index);
