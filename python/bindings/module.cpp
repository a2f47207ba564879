// Table of contents of the extension module.
#include <pybind11/pybind11.h>

#include "register.hpp"

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The C++ core of fastfunnel. Use the package's functions, not these.";
  register_isa(m);
  register_search(m);
  register_index(m);
}
