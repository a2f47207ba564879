// Instruction sets and how this extension was built.
#include <pybind11/stl.h>

#include <string>

#include "isa/isa.hpp"
#include "register.hpp"
#include "threads/thread_pool.hpp"

namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#elif defined(_MSC_VER)
  return "msvc " + std::to_string(_MSC_VER);
#else
  return "unknown";
#endif
}

}  // namespace

void register_isa(py::module_& m) {
  m.attr("__version__") = FASTFUNNEL_VERSION;
  m.def("available_isas", [] {
    std::vector<std::string> names;
    for (ff::Isa isa : ff::available_isas()) names.emplace_back(ff::isa_name(isa));
    return names;
  });
  m.def("active_isa", [] { return std::string(ff::isa_name(ff::resolve_isa())); });
  m.def("available_cores", &ff::available_cores);
  m.def("build_info", [] {
    py::dict info;
    info["version"] = FASTFUNNEL_VERSION;
    info["arch"] = FASTFUNNEL_ARCH;
    info["compiler"] = compiler();
    return info;
  });
}
