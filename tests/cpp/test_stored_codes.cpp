// Codes that come from files instead of floats.
#include <filesystem>
#include <fstream>

#include "core_support.hpp"

namespace ff::test {
namespace {

PlaneNeeds all_planes(std::size_t dim) {
  PlaneNeeds needs;
  needs.sign_slices = (dim + kSliceDims - 1) / kSliceDims;
  needs.sign_rows = needs.int8_rows = needs.int8_errors = true;
  needs.add_norms(dim);
  needs.add_norms((dim + 1) / 2);
  return needs;
}

// The codes of a segment in files, as storage writes them.
class CodeFiles {
 public:
  explicit CodeFiles(const Segment& of) {
    const std::size_t n = of.n_rows(), dim = of.dim();
    std::vector<float> scales, norms;
    for (std::size_t i = 0; i < n; ++i) {
      scales.insert(scales.end(), {of.int8_scales()[i], of.int8_errors()[i]});
      norms.insert(norms.end(), {of.inverse_norms((dim + 1) / 2)[i], of.inverse_norms(dim)[i]});
    }
    folder = std::filesystem::temp_directory_path() / "fastfunnel-test-codes";
    std::filesystem::create_directories(folder);
    codes.sign_rows = write("signs", of.sign_rows(), n * of.sign_row_stride());
    codes.int8_rows = write("int8", of.int8_rows(), n * of.int8_row_stride());
    codes.int8_scales = write("scales", scales.data(), scales.size() * sizeof(float));
    codes.inverse_norms = write("norms", norms.data(), norms.size() * sizeof(float));
    codes.norm_dims = {(dim + 1) / 2, dim};
  }
  ~CodeFiles() { std::filesystem::remove_all(folder); }

  StoredArray write(const char* name, const void* bytes, std::size_t n) const {
    std::ofstream file(folder / name, std::ios::binary);
    file << "12345678";
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(n));
    return {folder / name, 8};
  }

  std::filesystem::path folder;
  StoredCodes codes;
};

std::string difference_of_planes(const Segment& a, const Segment& b) {
  const std::size_t n = a.n_rows(), dim = a.dim();
  const auto same = [](const auto* x, const auto* y, std::size_t count) {
    return std::equal(x, x + count, y);
  };
  if (!same(a.sign_rows(), b.sign_rows(), n * a.sign_row_stride())) return "sign rows";
  if (!same(a.int8_rows(), b.int8_rows(), n * a.int8_row_stride())) return "int8";
  if (!same(a.int8_scales(), b.int8_scales(), n)) return "scales";
  if (!same(a.int8_errors(), b.int8_errors(), n)) return "errors";
  for (const std::size_t dims : {dim, (dim + 1) / 2})
    if (!same(a.inverse_norms(dims), b.inverse_norms(dims), n)) return "norms";
  const std::size_t slices = a.sign_plane().n_slices(), blocks = a.n_blocks();
  const SignBlocks x = a.sign_plane().blocks(0, blocks, slices, nullptr, 0);
  const SignBlocks y = b.sign_plane().blocks(0, blocks, slices, nullptr, 0);
  for (std::size_t s = 0; s < slices; ++s)
    if (!same(x.slices + s * x.slice_stride, y.slices + s * y.slice_stride, blocks * kCellBytes))
      return "sign plane";
  return "";
}

// Floats that have nothing to do with the codes show where a plane came from.
TEST_CASE("stored codes are taken instead of floats, all or in part, and again when dropped") {
  const Kernels& kernels = kernels_for(Isa::scalar);
  Random random(1);
  for (std::size_t dim : {7, 64, 200}) {
    const Matrix rows = real_rows(150, dim, random), others = real_rows(150, dim, random);
    Segment source = Segment::borrow(rows.view(), 0);
    source.require(all_planes(dim), kernels, "rows", 0);
    const CodeFiles files(source);
    Segment taking = Segment::borrow(others.view(), 0);
    taking.set_codes(files.codes);
    PlaneNeeds few;
    few.sign_slices = 1;
    taking.require(few, kernels, "rows", 0);
    CHECK(taking.sign_plane().n_slices() == 1);
    taking.require(all_planes(dim), kernels, "rows", 0);
    CHECK(difference_of_planes(source, taking) == "");
    taking.keep({});
    taking.require(all_planes(dim), kernels, "rows", 0);
    CHECK(difference_of_planes(source, taking) == "");
    PlaneNeeds more;  // that no file has
    more.add_norms(1);
    taking.require(more, kernels, "rows", 0);
    CHECK(taking.inverse_norms(1)[5] == doctest::Approx(1 / std::fabs(others.row(5)[0])));
  }
}

TEST_CASE("codes whose file is gone or short are made from the floats") {
  const Kernels& kernels = kernels_for(Isa::scalar);
  Random random(2);
  const Matrix rows = real_rows(150, 70, random);
  Segment source = Segment::borrow(rows.view(), 0);
  source.require(all_planes(70), kernels, "rows", 0);
  const CodeFiles files(source);
  for (const char* name : {"signs", "int8", "scales", "norms"}) {
    std::filesystem::resize_file(files.folder / name, 100);
    Segment taking = Segment::borrow(rows.view(), 0);
    taking.set_codes(files.codes);
    taking.require(all_planes(70), kernels, "rows", 0);
    CHECK(difference_of_planes(source, taking) == "");
  }
}

TEST_CASE("codes that would make scores no numbers are refused") {
  const Kernels& kernels = kernels_for(Isa::scalar);
  Random random(3);
  const Matrix rows = real_rows(150, 70, random);
  Segment source = Segment::borrow(rows.view(), 0);
  source.require(all_planes(70), kernels, "rows", 0);
  const CodeFiles files(source);
  for (const float bad :
       {-1.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    for (const char* name : {"scales", "norms"}) {
      const CodeFiles damaged(source);
      damaged.write(name, std::vector<float>(300, bad).data(), 300 * sizeof(float));
      Segment taking = Segment::borrow(rows.view(), 0);
      taking.set_codes(damaged.codes);
      CHECK_THROWS_AS(taking.require(all_planes(70), kernels, "rows", 0), std::invalid_argument);
      CHECK(!taking.has(all_planes(70)));
    }
}

}  // namespace
}  // namespace ff::test
