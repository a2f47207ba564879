// Rows and codes in files.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "arrays/float_rows.hpp"
#include "arrays/row_file.hpp"
#include "core_support.hpp"
#include "search/exact_search.hpp"
#include "search/funnel_search.hpp"
#include "stages/rescore_floats.hpp"

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>

namespace ff::test {
namespace {

// A file with some bytes before the rows, gone at the end of the test.
class TemporaryFile {
 public:
  TemporaryFile(const void* content, std::size_t n_bytes, std::size_t offset)
      : path_(std::filesystem::temp_directory_path() /
              ("fastfunnel-test-" + std::to_string(::getpid()) + "-" + std::to_string(next_++))) {
    std::ofstream file(path_, std::ios::binary);
    file << std::string(offset, 'x');
    file.write(static_cast<const char*>(content), static_cast<std::streamsize>(n_bytes));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::shared_ptr<const RowFile> open() const {
    const int descriptor = ::open(path_.c_str(), O_RDONLY);
    auto file = std::make_shared<const RowFile>(descriptor);
    ::close(descriptor);
    return file;
  }

 private:
  static inline int next_ = 0;
  std::filesystem::path path_;
};

constexpr Element kElements[] = {Element::f32, Element::f16, Element::bf16};

// The values as an element holds them, and the floats that those are.
struct Stored {
  Stored(const Matrix& base, Element element, const Kernels& kernels)
      : bytes(base.values.size() * element_bytes(element)),
        rounded{base.n_rows, base.dim, std::vector<float>(base.values.size())} {
    narrow(base.values.data(), base.values.size(), element, kernels, bytes.data());
    view = {bytes.data(), element, base.n_rows, base.dim,
            static_cast<std::ptrdiff_t>(base.dim * element_bytes(element))};
    FloatRows reader(view, kernels);
    for (std::size_t i = 0; i < base.n_rows; ++i)
      std::copy_n(reader.row(i), base.dim,
                  rounded.values.begin() + static_cast<std::ptrdiff_t>(i * base.dim));
  }
  std::vector<std::byte> bytes;
  Matrix rounded;
  MatrixView view;
};

MatrixView in_file(MatrixView view, const RowFile& file, std::uint64_t offset) {
  view.data = nullptr;
  view.file = &file;
  view.file_offset = offset;
  return view;
}

TEST_CASE("row_file: reads, gathers, and says what the system refuses") {
  Random random(1);
  const auto content = random.bytes(100000);
  const TemporaryFile temporary(content.data(), content.size(), 3);
  const auto file = temporary.open();
  std::vector<std::byte> out(500);
  file->read(3 + 777, out.size(), out.data());
  CHECK(std::memcmp(out.data(), content.data() + 777, out.size()) == 0);
  file->gather({3 + 5, 3 + 5, 3 + 90000}, 100, out.data());
  CHECK(std::memcmp(out.data(), content.data() + 5, 100) == 0);
  CHECK(std::memcmp(out.data() + 100, content.data() + 5, 100) == 0);
  CHECK(std::memcmp(out.data() + 200, content.data() + 90000, 100) == 0);
  CHECK_THROWS_AS(file->read(99990, 100, out.data()), std::system_error);
  CHECK_THROWS_AS(file->gather({99990}, 100, out.data()), std::system_error);
  CHECK_THROWS_AS(RowFile(-1), std::system_error);
}

TEST_CASE("rows in a file are read like rows in memory") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    const Matrix base = real_rows(70, 33, random);
    for (Element element : kElements) {
      const Stored stored(base, element, kernels);
      const TemporaryFile temporary(stored.bytes.data(), stored.bytes.size(), 64);
      const auto file = temporary.open();
      FloatRows reader(in_file(stored.view, *file, 64), kernels);
      FloatRows part(in_file(stored.view, *file, 64).rows(10, 60), kernels);
      for (std::size_t i : {0, 69, 3}) {
        CHECK(std::equal(stored.rounded.row(i), stored.rounded.row(i) + 20, reader.row(i, 20)));
        const FloatRows::Run run = part.run(i % 50, 7, 33);
        for (std::size_t r = 0; r < 7; ++r)
          CHECK(std::equal(stored.rounded.row(10 + i % 50 + r), stored.rounded.row(11 + i % 50 + r),
                           run.values + static_cast<std::ptrdiff_t>(r) * run.stride / 4));
      }
    }
  });
}

// The answers of float stages and of exact search do not depend on where rows lie.
TEST_CASE("searches of rows in a file equal those of rows in memory") {
  for_all_levels([](const Kernels& kernels) {
    Random random(3);
    const Matrix base = real_rows(3000, 100, random), queries = real_rows(5, 100, random);
    const auto ids = consecutive(base.n_rows, 7);
    const Funnel funnels[] = {{{100, Precision::f32, false, 0}},
                              {{64, Precision::b1, false, 800}, {100, Precision::f32, false, 0}},
                              {{64, Precision::b1, false, 800},
                               {70, Precision::f32, false, 300},
                               {100, Precision::f32, false, 0}}};
    for (Element element : kElements) {
      const Stored stored(base, element, kernels);
      const TemporaryFile temporary(stored.bytes.data(), stored.bytes.size(), 128);
      const auto file = temporary.open();
      Corpus in_memory(100, {element, true, true}), on_disk(100, {element, true, true});
      in_memory.append(base.view(), ids.data(), kernels);
      on_disk.adopt(in_file(stored.view, *file, 128), ids.data(), file);
      for (Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2}) {
        PlaneNeeds needs;
        needs.add_norms(100);
        for (Corpus* corpus : {&in_memory, &on_disk}) {
          for (const Funnel& funnel : funnels) needs.add(plane_needs(funnel));
          needs.add(exact_needs(*corpus, exact_scan(*corpus, 1)));
          corpus->require(needs, kernels, 1, "rows");
        }
        const SearchOptions options = {kernels, 1, nullptr, nullptr, metric};
        for (const Funnel& funnel : funnels) {
          Answers a(5, 10), b(5, 10);
          funnel_search(in_memory, funnel, queries.queries(), options, a.view());
          funnel_search(on_disk, funnel, queries.queries(), options, b.view());
          CHECK(a == b);
        }
        Answers a(5, 10), b(5, 10);
        exact_search(in_memory, exact_scan(in_memory, 1), queries.queries(), options, a.view());
        exact_search(on_disk, exact_scan(on_disk, 1), queries.queries(), options, b.view());
        CHECK(a == b);
      }
    }
  });
}

// 63 rows of 64 bytes behind a head of 64 fill a page: a kernel that read past them would crash.
TEST_CASE("int8 codes beside rows in a file are mapped, which changes no answer") {
  for_all_levels([](const Kernels& kernels) {
    Random random(5);
    const Matrix base = real_rows(63, 60, random), queries = real_rows(5, 60, random);
    const auto ids = consecutive(base.n_rows, 7);
    const Funnel funnel = {{30, Precision::i8, false, 40},
                           {60, Precision::i8, false, 20},
                           {60, Precision::f32, false, 0}};
    Corpus in_memory(60);
    in_memory.append(base.view(), ids.data(), kernels);
    PlaneNeeds needs = plane_needs(funnel);
    PlaneNeeds all = needs;
    all.add(exact_needs(in_memory, ExactScan::int8_rows));
    in_memory.require(all, kernels, 1, "rows");

    const Segment& source = *in_memory.segments()[0];
    const std::size_t n_bytes = base.n_rows * source.int8_row_stride();
    std::vector<float> scales;
    for (std::size_t i = 0; i < base.n_rows; ++i)
      scales.insert(scales.end(), {source.int8_scales()[i], source.int8_errors()[i]});
    const TemporaryFile floats(base.values.data(), base.values.size() * sizeof(float), 64);
    const TemporaryFile scale_file(scales.data(), scales.size() * sizeof(float), 0);
    const TemporaryFile aligned(source.int8_rows(), n_bytes, 64),
        shifted(source.int8_rows(), n_bytes, 65), cut(source.int8_rows(), n_bytes - 1, 64);
    const auto file = floats.open();
    for (const StoredArray& rows :
         {StoredArray{aligned.path(), 64}, {shifted.path(), 65}, {cut.path(), 64}}) {
      Corpus on_disk(60);
      on_disk.adopt(in_file(base.view(), *file, 64), ids.data(), file);
      on_disk.set_codes(0, {{}, rows, {scale_file.path(), 0}, {}, {}});
      on_disk.require(needs, kernels, 1, "rows");
      const bool is_mapped = rows.path == aligned.path();
      CHECK((on_disk.segments()[0]->plane_bytes() < n_bytes) == is_mapped);
      std::filesystem::remove(rows.path);  // by a writer
      on_disk.require(all, kernels, 1, "rows");

      const SearchOptions options = {kernels, 1, nullptr, nullptr, Metric::cosine};
      Answers a(5, 10), b(5, 10), exact_a(5, 10), exact_b(5, 10);
      funnel_search(in_memory, funnel, queries.queries(), options, a.view());
      funnel_search(on_disk, funnel, queries.queries(), options, b.view());
      CHECK(a == b);
      exact_search(in_memory, ExactScan::int8_rows, queries.queries(), options, exact_a.view());
      exact_search(on_disk, ExactScan::int8_rows, queries.queries(), options, exact_b.view());
      CHECK(exact_a == exact_b);
      on_disk.keep({});
      CHECK(!on_disk.has(needs));
    }
  });
}

TEST_CASE("a row that is not finite is named, not scored") {
  Random random(4);
  Matrix base = real_rows(100, 10, random);
  base.values[57 * 10 + 3] = std::numeric_limits<float>::quiet_NaN();
  const Corpus corpus = Corpus::borrow(base.view());
  Shortlist list;
  list.rows = {3, 57};
  list.scores = {0, 0};
  CHECK_THROWS_WITH_AS(score_floats(corpus, {10, Precision::f32, false, 0}, base.row(0),
                                    kernels_for(Isa::scalar), list),
                       "vectors must be finite, got nan or inf in the row with id 57",
                       std::invalid_argument);
}

}  // namespace
}  // namespace ff::test

#endif
