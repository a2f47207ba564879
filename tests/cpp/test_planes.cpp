#include <cstring>
#include <stdexcept>

#include "core_support.hpp"
#include "planes/corpus.hpp"

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

bool sign_bit(const SignPlane& plane, std::size_t row, std::size_t d) {
  const SignBlocks blocks = plane.blocks(0, plane.n_blocks(), plane.n_slices(), nullptr, 0);
  const std::uint8_t byte = blocks.slices[d / 64 * blocks.slice_stride + row / 64 * kCellBytes +
                                          d % 64 / 8 * 64 + row % 64];
  return (byte & (0x80U >> (d % 8))) != 0;
}

// Values of every plane that are not what the row says; "" if all are.
std::string wrong_planes(const Segment& segment, std::size_t row, const float* values) {
  const std::size_t dim = segment.dim();
  double error = 0, squares = 0, half = 0;
  for (std::size_t d = 0; d < segment.sign_row_stride() * 8; ++d) {
    const bool positive = d < dim && values[d] > 0;
    const unsigned packed = segment.sign_rows()[row * segment.sign_row_stride() + d / 8];
    if (((packed >> (7 - d % 8)) & 1U) != positive) return "sign row";
    if (sign_bit(segment.sign_plane(), row, d) != positive) return "sign plane";
  }
  for (std::size_t d = 0; d < segment.int8_row_stride(); ++d) {
    const int code = segment.int8_rows()[row * segment.int8_row_stride() + d] - kInt8Zero;
    const double value = d < dim ? static_cast<double>(values[d]) : 0;
    const double off = value - code * static_cast<double>(segment.int8_scales()[row]);
    if (std::fabs(off) > 0.5001 * static_cast<double>(segment.int8_scales()[row])) return "int8";
    error += off * off;
    squares += value * value;
    if (d < (dim + 1) / 2) half += value * value;
  }
  const auto near = [](float actual, double expected) {
    return std::fabs(static_cast<double>(actual) - expected) <= 2e-6 * std::fabs(expected);
  };
  if (!near(segment.int8_errors()[row], squares > 0 ? std::sqrt(error / squares) : 0))
    return "int8 error";
  if (static_cast<double>(segment.int8_errors()[row]) <
      (squares > 0 ? std::sqrt(error / squares) : 0))
    return "int8 error is no bound";
  if (!near(segment.inverse_norms(dim)[row], squares > 0 ? 1 / std::sqrt(squares) : 0))
    return "norm";
  if (!near(segment.inverse_norms((dim + 1) / 2)[row], half > 0 ? 1 / std::sqrt(half) : 0))
    return "norm of the prefix";
  return "";
}

// Every row of the corpus, its id and its planes, against the matrix.
void check_corpus(const Corpus& corpus, const Matrix& base, const std::vector<std::int64_t>& ids) {
  REQUIRE(corpus.n_rows() == base.n_rows);
  std::size_t position = 0;
  std::string wrong;
  for (std::size_t s = 0; s < corpus.segments().size() && wrong.empty(); ++s) {
    const Segment& segment = *corpus.segments()[s];
    REQUIRE(segment.alive().size() == segment.n_blocks());
    std::size_t n_alive = 0;
    for (std::uint64_t word : segment.alive())
      n_alive += static_cast<std::size_t>(std::popcount(word));
    CHECK(n_alive == segment.n_rows());
    for (std::size_t r = 0; r < segment.n_rows() && wrong.empty(); ++r, ++position) {
      wrong = wrong_planes(segment, r, base.row(position));
      if (corpus.id(static_cast<Row>(s * Segment::kMaxRows + r)) != ids[position]) wrong = "id";
      if (!wrong.empty()) wrong += " of row " + std::to_string(position);
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("planes: a sign plane holds the bits it was given, in scan order") {
  Random random(1);
  const std::size_t n_rows = 150, stride = 40;
  const auto codes = random.bytes(n_rows * stride);
  SignPlane plane(3, 3);
  plane.write(0, 70, codes.data(), stride);
  plane.write(70, 80, codes.data() + 70 * stride, stride);
  SignPlane larger(4, 5);
  larger.copy_from(plane);
  SignPlane smaller(2, 2);
  smaller.copy_from(plane);
  int wrong = 0;
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t d = 0; d < 192; ++d) {
      const bool bit = ((codes[r * stride + d / 8] >> (7 - d % 8)) & 1) != 0;
      wrong += sign_bit(plane, r, d) != bit;
      wrong += sign_bit(larger, r, d) != bit;
      if (r < 128 && d < 128) wrong += sign_bit(smaller, r, d) != bit;
    }
  for (std::size_t r = 0; r < 320; ++r) wrong += sign_bit(larger, r, 192 + r % 64);
  CHECK(wrong == 0);
  CHECK(plane.n_bytes() == 9 * kCellBytes);
  const std::uint64_t alive[] = {1, 2, 3};
  const SignBlocks part = plane.blocks(1, 2, 2, alive, 1000);
  CHECK(part.slices == plane.blocks(0, 3, 3, nullptr, 0).slices + kCellBytes);
  CHECK(part.alive == alive + 1);
  CHECK(part.first_row == 1064);
}

TEST_CASE("planes: borrowed rows, every level, any shape and stride") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    for (std::size_t dim : {1, 7, 64, 65, 200})
      for (std::size_t n_rows : {1, 63, 64, 65, 200}) {
        Matrix base = real_rows(n_rows, dim, random);
        std::fill_n(base.values.begin() + static_cast<std::ptrdiff_t>(n_rows / 2 * dim), dim, 0.0F);
        Corpus corpus = Corpus::borrow(base.view());
        corpus.require(all_planes(dim), kernels, 1, "rows");
        CHECK(corpus.has(all_planes(dim)));
        check_corpus(corpus, base, consecutive(n_rows, 0));
        MatrixView reversed = base.view();
        reversed.data += static_cast<std::ptrdiff_t>(n_rows - 1) * reversed.row_stride;
        reversed.row_stride = -reversed.row_stride;
        Corpus back_to_front = Corpus::borrow(reversed);
        back_to_front.require(all_planes(dim), kernels, 1, "rows");
        Matrix turned = base;
        for (std::size_t i = 0; i < n_rows; ++i)
          std::copy_n(base.row(n_rows - 1 - i), dim, &turned.values[i * dim]);
        check_corpus(back_to_front, turned, consecutive(n_rows, 0));
      }
  });
}

TEST_CASE("planes: they follow appended rows, in steps of any size") {
  for_all_levels([](const Kernels& kernels) {
    Random random(3);
    const std::size_t dim = 70;
    const Matrix base = real_rows(1200, dim, random);
    const auto ids = consecutive(1200, 5000);
    Corpus corpus(dim);
    std::size_t done = 0;
    for (std::size_t count : {1, 62, 1, 1, 64, 500, 3, 568}) {
      CHECK(corpus.next_row() == done);
      corpus.append(base.view().rows(done, count), ids.data() + done, kernels);
      done += count;
      if (done == 63) corpus.require(all_planes(dim), kernels, 1, "rows");
    }
    REQUIRE(done == 1200);
    CHECK(corpus.has(all_planes(dim)));
    check_corpus(corpus, base, ids);
    CHECK(corpus.segments()[0]->float_bytes() >= 1200 * dim * 4);
    CHECK(corpus.segments()[0]->plane_bytes() > 1200 * (16 + 16 + 128 + 16));
  });
}

TEST_CASE("planes: more slices, later needs, nothing built twice") {
  Random random(4);
  const std::size_t dim = 130;
  const Matrix base = real_rows(300, dim, random);
  Corpus corpus = Corpus::borrow(base.view());
  PlaneNeeds needs;
  needs.sign_slices = 1;
  CHECK(!corpus.has(needs));
  corpus.require(needs, reference(), 1, "rows");
  CHECK(corpus.has(needs));
  CHECK(!corpus.has(all_planes(dim)));
  corpus.require(all_planes(dim), reference(), 1, "rows");
  const std::uint8_t* codes = corpus.segments()[0]->int8_rows();
  corpus.require(needs, reference(), 1, "rows");
  corpus.require(all_planes(dim), reference(), 1, "rows");
  CHECK(corpus.segments()[0]->int8_rows() == codes);
  CHECK(corpus.segments()[0]->sign_plane().n_slices() == 3);
  check_corpus(corpus, base, consecutive(300, 0));
}

TEST_CASE("planes: what is not kept is freed, and built again as it was") {
  Random random(6);
  const std::size_t dim = 200;
  const Matrix base = real_rows(1000, dim, random);
  Corpus corpus(dim);
  corpus.append(base.view(), consecutive(1000, 0).data(), reference());
  corpus.require(all_planes(dim), reference(), 1, "rows");
  const Segment& segment = *corpus.segments()[0];
  const std::size_t whole = segment.plane_bytes();
  const std::vector<std::uint8_t> first_slice(
      segment.sign_plane().blocks(0, 1, 1, nullptr, 0).slices,
      segment.sign_plane().blocks(0, 1, 1, nullptr, 0).slices + kCellBytes);
  PlaneNeeds one_slice, int8;
  one_slice.sign_slices = 1;
  int8.int8_errors = true;

  corpus.keep(all_planes(dim));
  CHECK(segment.plane_bytes() == whole);
  PlaneNeeds both = one_slice;
  both.add(int8);
  corpus.keep(both);
  CHECK(corpus.has(both));
  CHECK(segment.sign_plane().n_slices() == 1);
  CHECK(std::memcmp(segment.sign_plane().blocks(0, 1, 1, nullptr, 0).slices, first_slice.data(),
                    kCellBytes) == 0);
  CHECK(segment.plane_bytes() < whole);
  corpus.keep(one_slice);
  CHECK(!corpus.has(int8));
  corpus.keep({});
  CHECK(segment.built().none());
  CHECK(segment.plane_bytes() == segment.n_blocks() * 8 + 1000 * 8);
  corpus.require(all_planes(dim), reference(), 1, "rows");
  check_corpus(corpus, base, consecutive(1000, 0));
}

TEST_CASE("planes: more rows than a segment holds, borrowed, appended and adopted") {
  Random random(5);
  const std::size_t dim = 3, n_rows = 2 * Segment::kMaxRows + 1000;
  const Matrix base = real_rows(n_rows, dim, random);
  const auto ids = consecutive(n_rows, 9);
  Corpus borrowed = Corpus::borrow(base.view());
  CHECK(borrowed.segments().size() == 3);
  for (unsigned n_threads : {1U, 2U, 3U}) {
    Corpus corpus = Corpus::borrow(base.view());
    corpus.require(all_planes(dim), kernels_for(available_isas().back()), n_threads, "rows");
    check_corpus(corpus, base, consecutive(n_rows, 0));
  }
  const Kernels& kernels = kernels_for(available_isas().back());
  Corpus appended(dim);
  appended.append(base.view().rows(0, 1000), ids.data(), kernels);
  appended.require(all_planes(dim), kernels, 1, "rows");
  appended.append(base.view().rows(1000, n_rows - 1000), ids.data() + 1000, kernels);
  CHECK(appended.segments().size() == 3);
  CHECK(appended.next_row() == n_rows);
  appended.require(all_planes(dim), kernels, 2, "rows");
  check_corpus(appended, base, ids);
  Corpus mixed(dim);
  mixed.append(base.view().rows(0, 100), ids.data(), kernels);
  mixed.adopt(base.view().rows(100, 70000), ids.data() + 100);  // whole segments of their own
  CHECK(mixed.segments().size() == 3);
  CHECK(mixed.next_row() == 3 * Segment::kMaxRows);
  mixed.require(all_planes(dim), kernels, 2, "rows");
  mixed.append(base.view().rows(70100, n_rows - 70100), ids.data() + 70100, kernels);
  CHECK(mixed.segments().size() == 4);
  mixed.require(all_planes(dim), kernels, 2, "rows");
  check_corpus(mixed, base, ids);
}

TEST_CASE("planes: codes without rows") {
  Random random(6);
  const std::size_t n_rows = Segment::kMaxRows + 70;
  for (std::size_t n_bytes : {1, 8, 11}) {
    const auto codes = random.bytes(n_rows * n_bytes);
    const CodeView view = {codes.data(), n_rows, n_bytes, static_cast<std::ptrdiff_t>(n_bytes)};
    for (unsigned n_threads : {1U, 2U, 3U}) {
      const Corpus corpus = Corpus::from_codes(view, n_threads);
      REQUIRE(corpus.n_rows() == n_rows);
      int wrong = 0;
      for (std::size_t i = 0; i < n_rows; i += i % 64 == 0 ? 63 : 1)
        for (std::size_t d = 0; d < n_bytes * 8; ++d)
          wrong += sign_bit(corpus.segments()[i / 65536]->sign_plane(), i % 65536, d) !=
                   (((view.row(i)[d / 8] >> (7 - d % 8)) & 1) != 0);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("planes: a value that is not finite is named, and never searched") {
  for (float bad : {NAN, INFINITY, -INFINITY})
    for (unsigned n_threads : {1U, 2U}) {
      Random random(7);
      Matrix base = real_rows(Segment::kMaxRows + 500, 3, random);
      base.values[(Segment::kMaxRows + 321) * 3 + 2] = bad;
      Corpus corpus = Corpus::borrow(base.view());
      PlaneNeeds signs, prefix;
      signs.sign_slices = 1;
      prefix.add_norms(1);  // the first dim is finite
      for (const PlaneNeeds& needs : {all_planes(3), signs, prefix, all_planes(3)}) {
        CHECK_THROWS_WITH_AS(corpus.require(needs, reference(), n_threads, "vectors"),
                             "vectors must be finite, got nan or inf in row 65857",
                             std::invalid_argument);
        CHECK(!corpus.has(needs));
      }
      base.values[(Segment::kMaxRows + 321) * 3 + 2] = 0.5F;
      corpus.require(all_planes(3), reference(), n_threads, "vectors");
      check_corpus(corpus, base, consecutive(base.n_rows, 0));
    }
}

}  // namespace
}  // namespace ff::test
