#include <numeric>

#include "support.hpp"

namespace ff::test {
namespace {

struct Block {
  std::vector<std::size_t> ends;  // of the steps
  Aligned<std::uint8_t> first, later;
  std::vector<float> scales, errors, outside;

  BoundBlock view() const {
    return {first.data(), later.data(), ends[0], scales.data(), errors.data(), outside.data()};
  }
};

// Powers of two, so that every float step is exact and all levels agree to the bit.
std::vector<float> powers(std::size_t n, Random& random) {
  std::vector<float> values(n);
  for (float& value : values) value = std::ldexp(1.0F, static_cast<int>(random.integer(-6, 0)));
  return values;
}

Block random_block(const std::vector<std::size_t>& ends, Random& random) {
  return {ends,
          random.bytes(ends[0] * 64),
          random.bytes((ends.back() - ends[0]) * 64),
          powers(64, random),
          powers(64, random),
          powers(64 * ends.size(), random)};
}

std::vector<std::int8_t> random_values(std::size_t n, int largest, Random& random) {
  std::vector<std::int8_t> values(n);
  for (auto& value : values) value = static_cast<std::int8_t>(random.integer(-largest, largest));
  return values;
}

struct Query {
  std::vector<std::int8_t> values;
  std::vector<std::int32_t> zeros;
  std::vector<float> outside;
  float floor;

  BoundQuery view() const { return {values.data(), zeros.data(), outside.data(), 0.5F, 2, floor}; }
};

Query make_query(std::vector<std::int8_t> values, const Block& block, float floor, Random& random) {
  Query query = {std::move(values), {}, powers(block.ends.size(), random), floor};
  for (std::size_t end : block.ends)
    query.zeros.push_back(
        kInt8Zero * std::accumulate(query.values.begin(),
                                    query.values.begin() + static_cast<std::ptrdiff_t>(end), 0));
  return query;
}

// Oracle in float64, from the words of the contract.
std::uint64_t expected(const Block& block, const Query& query, std::size_t step) {
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < 64; ++r) {
    double sum = -query.zeros[step];
    for (std::size_t s = 0, d = 0; s <= step; ++s)
      for (const std::size_t begin = d; d < block.ends[s]; ++d) {
        const std::size_t in_quarter = ((d - begin) / 4 * 16 + r % 16) * 4 + d % 4;
        const std::size_t in_step = r / 16 * 16 * (block.ends[s] - begin) + in_quarter;
        sum += query.values[d] * (s == 0 ? block.first[d / 4 * 256 + r * 4 + d % 4]
                                         : block.later[(begin - block.ends[0]) * 64 + in_step]);
      }
    const double upper = sum * 0.5 * static_cast<double>(block.scales[r]) +
                         2 * static_cast<double>(block.errors[r]) +
                         static_cast<double>(query.outside[step]) *
                             static_cast<double>(block.outside[step * 64 + r]);
    mask |= static_cast<std::uint64_t>(upper >= static_cast<double>(query.floor)) << r;
  }
  return mask;
}

// Every step for every second quarter and query, in an order that is not ascending.
void check(const Kernels& k, const Block& block, const std::vector<Query>& queries) {
  std::vector<BoundQuery> views;
  for (const Query& query : queries) views.push_back(query.view());
  Aligned<std::int32_t> sums(queries.size() * 64);
  std::vector<std::uint64_t> masks(queries.size(), 171);
  k.block_bound.first(block.view(), views.data(), views.size(), sums.data(), masks.data());
  for (std::size_t q = 0; q < queries.size(); ++q)
    CHECK(masks[q] == expected(block, queries[q], 0));
  std::vector<std::uint32_t> which;
  for (std::size_t q = queries.size(); q > 0; --q)
    if (q % 2 == 1) which.push_back(static_cast<std::uint32_t>(q - 1));
  constexpr std::uint64_t kQuarters = 0xffff0000ffff0000;  // 1 and 3
  std::vector<std::uint64_t> wanted = masks;
  for (std::size_t s = 1; s < block.ends.size(); ++s) {
    for (std::size_t quarter : {1, 3})
      k.block_bound.next(block.view(), {s, block.ends[s - 1], block.ends[s]}, quarter, views.data(),
                         which.data(), which.size(), sums.data(), masks.data());
    for (std::uint32_t q : which)
      wanted[q] = (wanted[q] & ~kQuarters) | (expected(block, queries[q], s) & kQuarters);
    CHECK(masks == wanted);
  }
}

TEST_CASE("block_bound: every level, any dims, steps, queries 0 to 25") {
  for_each_level([](const Kernels& k) {
    Random random(1);
    for (const std::vector<std::size_t>& ends :
         std::vector<std::vector<std::size_t>>{{4}, {8, 12}, {60, 64, 68}, {256, 320, 384}})
      for (std::size_t n_queries = 0; n_queries <= 25; ++n_queries) {
        CAPTURE(ends.back());
        CAPTURE(n_queries);
        const Block block = random_block(ends, random);
        std::vector<Query> queries;
        for (std::size_t q = 0; q < n_queries; ++q)
          queries.push_back(make_query(random_values(ends.back(), k.block_bound.query_max, random),
                                       block, static_cast<float>(random.integer(-3000, 3000)) / 4,
                                       random));
        check(k, block, queries);
      }
  });
}

TEST_CASE("block_bound: every level, the largest sums, floors that all or none reach") {
  for_each_level([](const Kernels& k) {
    Random random(2);
    Block block = random_block({1024, 2048}, random);
    for (std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{255}}) {
      for (auto* cells : {&block.first, &block.later})
        std::fill(cells->begin(), cells->end(), byte);
      for (int value : {-k.block_bound.query_max, k.block_bound.query_max})
        for (float floor : {-1e30F, 0.0F, 1e30F}) {
          const std::vector<std::int8_t> values(2048, static_cast<std::int8_t>(value));
          check(k, block, {make_query(values, block, floor, random)});
        }
    }
  });
}

}  // namespace
}  // namespace ff::test
