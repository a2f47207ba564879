// Table of contents of the extension module.
#include <pybind11/pybind11.h>

#include <exception>
#include <system_error>

#include "register.hpp"
#include "threads/interrupt.hpp"

namespace {

// Runs Python's signal handlers, which only its main thread does; a Ctrl-C ends the call.
void check_signals() {
  const py::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

// What the system refused is an OSError, whose class follows from the error number.
void raise_os_error(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::system_error& refused) {
    const py::object made =
        py::reinterpret_borrow<py::object>(PyExc_OSError)(refused.code().value(), refused.what());
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  }
}

}  // namespace

// True without a GIL, since nothing here rests on it: calls drop it before they work. Threads share
// indexes, which lock themselves (threads/fair_lock.hpp), and the pool of threads/thread_pool.cpp;
// the interrupt check is set once, by the import; everything else is an argument or a local.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The C++ core of fastfunnel. Use the package's functions, not these.";
  ff::set_interrupt_check(check_signals);
  py::register_exception_translator(raise_os_error);
  register_isa(m);
  register_search(m);
  register_index(m);
}
