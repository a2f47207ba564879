#include <doctest/doctest.h>

#include "core_support.hpp"
#include "planes/row_copies.hpp"

namespace ff::test {
namespace {

TEST_CASE("row_copies: the first equal row; a shared start is not enough") {
  const std::size_t dim = 40;  // more than the bytes that are hashed
  Matrix rows{8, dim, std::vector<float>(8 * dim, 1.0F)};
  for (std::size_t row : {1, 3, 7}) rows.values[row * dim + dim - 1] = 2;  // equal from there
  for (std::size_t row : {2, 6}) rows.values[row * dim] = 3;
  const MatrixView view = rows.view();
  RowCopies copies;
  RowCopies::Finder finder(copies, view);
  for (std::size_t row = 0; row < view.n_rows; ++row) finder.look_at(row);
  const std::size_t expected[] = {0, 1, 2, 3, 0, 0, 2, 7};  // 1, 3, 7 share the start of 0
  for (std::size_t row = 0; row < view.n_rows; ++row) CHECK(copies.first_of(row) == expected[row]);
  copies.set_built(false);
  CHECK(copies.first_of(5) == 5);
}

TEST_CASE("row_copies: rows in the place of copies that were taken back are themselves") {
  Random random(3);
  const std::size_t dim = 24;
  const Matrix base = real_rows(6, dim, random);
  Matrix copies = base;
  for (std::size_t i = 0; i < 6; ++i)
    std::copy_n(base.row(0), dim, copies.values.begin() + static_cast<std::ptrdiff_t>(i * dim));
  Segment segment(dim, Element::f32);
  PlaneNeeds needs;
  needs.copies = true;
  const auto ids = consecutive(12, 0);
  segment.append(base.view(), ids.data(), reference());
  segment.require(needs, reference(), "rows", 0);
  segment.append(copies.view(), ids.data() + 6, reference());
  CHECK(segment.copies().first_of(11) == 6);
  segment.truncate(6);
  segment.append(real_rows(6, dim, random).view(), ids.data() + 6, reference());
  for (std::size_t row = 0; row < 12; ++row) CHECK(segment.copies().first_of(row) == row);
}

}  // namespace
}  // namespace ff::test
