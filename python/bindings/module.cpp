// Table of contents of the extension module.
#include <pybind11/pybind11.h>

#include "register.hpp"
#include "threads/interrupt.hpp"

namespace {

// Runs Python's signal handlers, which only its main thread does; a Ctrl-C ends the call.
void check_signals() {
  const py::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace

// True without a GIL, since nothing here rests on it: calls drop it before they work. Threads share
// indexes, which lock themselves (threads/fair_lock.hpp), and the pool of threads/thread_pool.cpp;
// the interrupt check is set once, by the import; everything else is an argument or a local.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The C++ core of fastfunnel. Use the package's functions, not these.";
  ff::set_interrupt_check(check_signals);
  register_isa(m);
  register_search(m);
  register_index(m);
}
