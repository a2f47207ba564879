// What keeps an index of the core on disk.
#include <pybind11/stl/filesystem.h>

#include <stdexcept>

#include "arrays/row_file.hpp"
#include "index/index.hpp"
#include "numpy_args.hpp"
#include "register.hpp"

namespace {

// Keeps an array for as long as the core reads it. The core lets go on any thread, without
// Python's lock.
std::shared_ptr<const void> keeper_of(const py::array& array) {
  return {static_cast<const void*>(array.inc_ref().ptr()), [](const void* object) {
            const py::gil_scoped_acquire locked;
            py::handle(static_cast<PyObject*>(const_cast<void*>(object))).dec_ref();
          }};
}

void adopt(ff::Index& index, const py::array& vectors, const IdArray& ids,
           const std::optional<FlagArray>& alive) {
  const ff::MatrixView rows = rows_with_ids(index, vectors, ids);
  if (alive && length(*alive) != rows.n_rows)
    throw std::invalid_argument("alive must have a value a row");
  const std::int64_t* first_id = ids.data();
  const bool* living = alive ? alive->data() : nullptr;
  const auto keeper = keeper_of(vectors);
  const py::gil_scoped_release unlocked;
  index.adopt(rows, first_id, living, keeper);
}

// float rows that stay in the file of this descriptor, from offset on, and what keeps it open.
std::pair<ff::MatrixView, std::shared_ptr<const ff::RowFile>> rows_in_file(const ff::Index& index,
                                                                           int descriptor,
                                                                           std::uint64_t offset,
                                                                           std::size_t n_rows) {
  auto file = std::make_shared<const ff::RowFile>(descriptor);
  const ff::Element element = index.format().floats;
  const auto stride = static_cast<std::ptrdiff_t>(index.dim() * ff::element_bytes(element));
  return {{nullptr, element, n_rows, index.dim(), stride, file.get(), offset}, file};
}

void adopt_file(ff::Index& index, int descriptor, std::uint64_t offset, const IdArray& ids,
                const std::optional<FlagArray>& alive) {
  if (alive && length(*alive) != length(ids))
    throw std::invalid_argument("alive must have a value a row");
  const auto [rows, file] = rows_in_file(index, descriptor, offset, length(ids));
  const std::int64_t* first_id = ids.data();
  const bool* living = alive ? alive->data() : nullptr;
  const py::gil_scoped_release unlocked;
  index.adopt(rows, first_id, living, file);
}

py::tuple segment(const ff::Index& index, std::size_t number) {
  ff::SegmentContents contents;
  {
    const py::gil_scoped_release unlocked;
    contents = index.segment(number);
  }
  FlagArray alive(static_cast<py::ssize_t>(contents.ids.size()));
  for (std::size_t i = 0; i < contents.ids.size(); ++i)
    alive.mutable_data()[i] = (contents.alive[i / ff::kBlockRows] >> (i % ff::kBlockRows) & 1) != 0;
  return py::make_tuple(id_array(contents.ids), std::move(alive));
}

py::array segment_rows(const ff::Index& index, std::size_t number, std::size_t first,
                       std::size_t count) {
  if (count > ff::Segment::kMaxRows) throw std::out_of_range("rows must lie in the segment");
  const ff::Element element = index.format().floats;
  const char* type = element == ff::Element::f32 ? "f4" : element == ff::Element::f16 ? "f2" : "u2";
  py::array rows(py::dtype(type), std::vector<std::size_t>{count, index.dim()});
  auto* out = static_cast<std::byte*>(rows.mutable_data());
  {
    const py::gil_scoped_release unlocked;
    index.segment_rows(number, first, count, ff::kernels_for(ff::resolve_isa()), out);
  }
  return rows;
}

void rebase(ff::Index& index, std::size_t number, const py::array& vectors) {
  const ff::MatrixView rows = as_rows(vectors);
  const auto keeper = keeper_of(vectors);
  const py::gil_scoped_release unlocked;
  index.rebase(number, rows, keeper);
}

void rebase_file(ff::Index& index, std::size_t number, int descriptor, std::uint64_t offset,
                 std::size_t n_rows) {
  const auto [rows, file] = rows_in_file(index, descriptor, offset, n_rows);
  const py::gil_scoped_release unlocked;
  index.rebase(number, rows, file);
}

using FilePart = std::pair<std::filesystem::path, std::uint64_t>;

ff::StoredArray as_stored(const std::optional<FilePart>& part) {
  return part ? ff::StoredArray{part->first, part->second} : ff::StoredArray{};
}

void set_codes(ff::Index& index, std::size_t number, const std::optional<FilePart>& signs,
               const std::optional<FilePart>& int8, const std::optional<FilePart>& scales,
               const std::optional<FilePart>& norms, const std::vector<std::size_t>& norm_dims) {
  const py::gil_scoped_release unlocked;
  index.set_codes(
      number, {as_stored(signs), as_stored(int8), as_stored(scales), as_stored(norms), norm_dims});
}

template <class Value>
py::array_t<Value> copied(const Value* values, std::size_t n_rows, std::size_t width) {
  py::array_t<Value> array({n_rows, width});
  std::copy(values, values + n_rows * width, array.mutable_data());
  return array;
}

// What StoredCodes hold of these rows, in the same order; None for codes not wanted.
py::tuple codes_of(const py::array& vectors, bool signs, bool int8,
                   const std::vector<std::size_t>& norm_dims) {
  const ff::MatrixView rows = as_rows(vectors);
  if (rows.n_rows > ff::Segment::kMaxRows) throw std::length_error("rows must fit a segment");
  ff::Segment segment = ff::Segment::borrow(rows, 0);
  ff::PlaneNeeds needs;
  needs.sign_rows = signs;
  needs.int8_rows = needs.int8_errors = int8;
  for (const std::size_t dims : norm_dims) {
    if (dims < 1 || dims > rows.dim) throw std::invalid_argument("dims must be those of the rows");
    needs.add_norms(dims);
  }
  {
    const py::gil_scoped_release unlocked;
    segment.require(needs, ff::kernels_for(ff::resolve_isa()), "vectors", 0);
  }
  std::vector<float> scales(int8 ? 2 * rows.n_rows : 0), norms(rows.n_rows * norm_dims.size());
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    if (int8) {
      scales[2 * i] = segment.int8_scales()[i];
      scales[2 * i + 1] = segment.int8_errors()[i];
    }
    for (std::size_t at = 0; at < norm_dims.size(); ++at)
      norms[i * norm_dims.size() + at] = segment.inverse_norms(norm_dims[at])[i];
  }
  const py::object none = py::none();
  return py::make_tuple(
      signs ? copied(segment.sign_rows(), rows.n_rows, segment.sign_row_stride()) : none,
      int8 ? copied(segment.int8_rows(), rows.n_rows, segment.int8_row_stride()) : none,
      int8 ? copied(scales.data(), rows.n_rows, 2) : none,
      copied(norms.data(), rows.n_rows, norm_dims.size()));
}

}  // namespace

void register_storage(py::module_& m, py::class_<ff::Index>& index) {
  using Unlocked = py::call_guard<py::gil_scoped_release>;
  m.def("codes_of", &codes_of, py::arg("vectors"), py::arg("signs"), py::arg("int8"),
        py::arg("norm_dims"));
  index.def("adopt", &adopt, py::arg("vectors"), py::arg("ids"), py::arg("alive") = py::none())
      .def("adopt_file", &adopt_file, py::arg("descriptor"), py::arg("offset"), py::arg("ids"),
           py::arg("alive") = py::none())
      .def_property_readonly("n_segments", py::cpp_function(&ff::Index::n_segments, Unlocked()))
      .def("segment", &segment, py::arg("segment"))
      .def("segment_rows", &segment_rows, py::arg("segment"), py::arg("first"), py::arg("count"))
      .def(
          "segment_owned",
          [](const ff::Index& core, std::size_t number) { return core.segment(number).owns_rows; },
          py::arg("segment"), Unlocked())
      .def("seal", &ff::Index::seal, Unlocked())
      .def("rebase", &rebase, py::arg("segment"), py::arg("vectors"))
      .def("rebase_file", &rebase_file, py::arg("segment"), py::arg("descriptor"),
           py::arg("offset"), py::arg("n_rows"))
      .def("set_codes", &set_codes, py::arg("segment"), py::arg("signs"), py::arg("int8"),
           py::arg("scales"), py::arg("norms"), py::arg("norm_dims"));
}
