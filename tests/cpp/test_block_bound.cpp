#include "support.hpp"

namespace ff::test {
namespace {

struct Block {
  std::size_t n_dims;
  Aligned<std::uint8_t> cells;
  std::vector<float> scales, errors, outside;

  BoundBlock view() const {
    return {cells.data(), n_dims, scales.data(), errors.data(), outside.data()};
  }
};

// Powers of two, so that every float step is exact and all levels agree to the bit.
std::vector<float> powers(std::size_t n, Random& random) {
  std::vector<float> values(n);
  for (float& value : values) value = std::ldexp(1.0F, static_cast<int>(random.integer(-6, 0)));
  return values;
}

Block random_block(std::size_t n_dims, Random& random) {
  return {n_dims, random.bytes(n_dims * 64), powers(64, random), powers(64, random),
          powers(64, random)};
}

std::vector<std::int8_t> random_values(std::size_t n, Random& random) {
  std::vector<std::int8_t> values(n);
  for (auto& value : values) value = static_cast<std::int8_t>(random.integer(-63, 63));
  return values;
}

// Oracle in float64, from the words of the contract.
std::uint64_t expected(const Block& block, const BoundQuery& query) {
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < 64; ++r) {
    double sum = -query.zero;
    for (std::size_t d = 0; d < block.n_dims; ++d)
      sum += query.values[d] * block.cells[d / 4 * 256 + r * 4 + d % 4];
    const double upper = sum * static_cast<double>(query.unit * block.scales[r]) +
                         static_cast<double>(query.slope * block.errors[r]) +
                         static_cast<double>(query.outside * block.outside[r]);
    mask |= static_cast<std::uint64_t>(upper >= static_cast<double>(query.floor)) << r;
  }
  return mask;
}

TEST_CASE("block_bound: every level, any dims, queries 0 to 13") {
  for_each_level([](const Kernels& k) {
    Random random(1);
    for (std::size_t n_dims : {4, 8, 60, 64, 384})
      for (std::size_t n_queries = 0; n_queries <= 13; ++n_queries) {
        CAPTURE(n_dims);
        CAPTURE(n_queries);
        const Block block = random_block(n_dims, random);
        std::vector<std::vector<std::int8_t>> values;
        std::vector<BoundQuery> queries;
        for (std::size_t q = 0; q < n_queries; ++q) {
          values.push_back(random_values(n_dims, random));
          std::int32_t sum = 0;
          for (int value : values.back()) sum += value;
          queries.push_back({values.back().data(), kInt8Zero * sum, 0.5F, 2.0F, 4.0F,
                             static_cast<float>(random.integer(-3000, 3000)) / 4});
        }
        std::vector<std::uint64_t> masks(n_queries, 171);
        k.block_bound.reaching(block.view(), queries.data(), n_queries, masks.data());
        for (std::size_t q = 0; q < n_queries; ++q) CHECK(masks[q] == expected(block, queries[q]));
      }
  });
}

TEST_CASE("block_bound: every level, the largest sums, floors that all or none reach") {
  for_each_level([](const Kernels& k) {
    Random random(2);
    const std::size_t n_dims = 2048;
    Block block = random_block(n_dims, random);
    for (std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{255}}) {
      std::fill(block.cells.begin(), block.cells.end(), byte);
      for (std::int8_t value : {std::int8_t{-63}, std::int8_t{63}}) {
        const std::vector<std::int8_t> values(n_dims, value);
        const std::int32_t zero = kInt8Zero * static_cast<std::int32_t>(n_dims) * value;
        for (float floor : {-1e30F, 0.0F, 1e30F}) {
          const BoundQuery query = {values.data(), zero, 1, 0, 0, floor};
          std::uint64_t mask = 0;
          k.block_bound.reaching(block.view(), &query, 1, &mask);
          CHECK(mask == expected(block, query));
        }
      }
    }
  });
}

}  // namespace
}  // namespace ff::test
