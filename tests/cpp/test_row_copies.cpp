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

}  // namespace
}  // namespace ff::test
