#include "stages/upper_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ff {
namespace {

constexpr double kUp = 1 + 1e-6;           // what a double loses when it becomes a float
constexpr double kFloatSteps = 20 * 6e-8;  // float32 roundings between the integers and the bound

constexpr std::size_t kDirectionsAtOnce = 64;  // 256 KiB at 1,024 dims: they stay in the L2 cache

}  // namespace

Int8Bounds::Int8Bounds(const Queries& queries, std::span<const float> floors,
                       const Kernels& kernels)
    : floors_(floors),
      scores_(queries.count * kBlockRows),
      scorer_({queries.dim, Precision::i8, false, 0}, queries, kernels, true) {
  for (std::size_t q = 0; q < queries.count; ++q) bounds_.push_back(scorer_.error_bound(q));
}

void Int8Bounds::reaching(const Segment& segment, std::size_t block, std::uint64_t* masks) {
  scorer_.score(segment, block, scores_.data());
  const std::size_t n_rows = std::min(kBlockRows, segment.n_rows() - block * kBlockRows);
  const float* errors = segment.int8_errors() + block * kBlockRows;
  for (std::size_t q = 0; q < floors_.size(); ++q) {
    const float* scores = scores_.data() + q * kBlockRows;
    const float floor = floors_[q] - bounds_[q].base, slope = bounds_[q].slope;
    masks[q] = 0;
    std::int32_t count = 0;  // mostly none, and counting needs no branch
    for (std::size_t r = 0; r < n_rows; ++r) count += scores[r] + slope * errors[r] >= floor;
    if (count == 0) continue;
    for (std::size_t r = 0; r < n_rows; ++r)
      masks[q] |= static_cast<std::uint64_t>(scores[r] + slope * errors[r] >= floor) << r;
  }
}

// With b the query's projection, b' what its integers say, a and a' those of the row:
//   b.a - b'.a' = b'.(a - a') + (b - b').a,  so at most |b'| |a - a'| + |b - b'|.
// The projections of both are off by `rounding`, and directions that are not quite orthonormal let
// products of the parts inside and outside add up to three times the defect.
ProjectedBounds::ProjectedBounds(const Basis& basis, const Queries& queries,
                                 std::span<const float> floors, const Kernels& kernels)
    : kernels_(kernels),
      basis_(basis),
      zeros_(queries.count * basis.steps.size()),
      outside_(queries.count * basis.steps.size()),
      sums_(queries.count * kBlockRows * sizeof(std::int32_t)),
      which_(queries.count) {
  const std::size_t count = basis.n_directions, dim = basis.dim;
  const double rounding = Projection::rounding(basis, kernels);
  std::vector<float> units(queries.count * dim), all_projected(queries.count * count);
  for (std::size_t q = 0; q < queries.count; ++q) {
    const float length = prefix_norm(queries[q], dim, kernels);
    const float inverse = length > 0 ? 1 / length : 0.0F;
    for (std::size_t d = 0; d < dim; ++d) units[q * dim + d] = queries[q][d] * inverse;
  }
  for (std::size_t j = 0; j < count; j += kDirectionsAtOnce)
    kernels.inner_product.scan(units.data(), dim, queries.count, basis.directions.data() + j * dim,
                               static_cast<std::ptrdiff_t>(dim * sizeof(float)),
                               std::min(kDirectionsAtOnce, count - j), dim,
                               all_projected.data() + j, count);
  for (std::size_t q = 0; q < queries.count; ++q) {
    const float* projected = all_projected.data() + q * count;
    values_.push_back(
        make_int8_query(projected, count, 0, count, kernels.block_bound.query_max, kernels));
    const Int8Query& coded = values_.back();
    double inside = 0, error = 0, approximate = 0;
    std::int32_t sum = 0;
    std::size_t j = 0;
    for (std::size_t s = 0; s < basis_.steps.size(); ++s) {
      for (; j < basis_.steps[s]; ++j) {
        const auto value = static_cast<double>(projected[j]);
        const double integer =
            static_cast<double>(coded.data()[j]) * static_cast<double>(coded.unit);
        inside += value * value;
        error += (value - integer) * (value - integer);
        approximate += integer * integer;
        sum += coded.data()[j];
      }
      const double surely_inside = std::max(0.0, std::sqrt(inside) - rounding);
      const double left =
          std::max(0.0, 1 - surely_inside * surely_inside + 2 * basis.defect + kFloatSteps);
      zeros_[q * basis_.steps.size() + s] = kInt8Zero * sum;
      outside_[q * basis_.steps.size() + s] = static_cast<float>(std::sqrt(left) * kUp);
    }
    const double base = std::sqrt(error) + 2 * rounding + 3 * basis.defect + kFloatSteps;
    queries_.push_back({coded.data(), zeros_.data() + q * basis_.steps.size(),
                        outside_.data() + q * basis_.steps.size(), coded.unit,
                        static_cast<float>(std::sqrt(approximate) * kUp),
                        floors[q] - static_cast<float>(base * kUp)});
  }
}

void ProjectedBounds::reaching(const Segment& segment, std::size_t number, std::uint64_t* masks) {
  const BoundBlock block = segment.projection().block(number);
  auto* sums = reinterpret_cast<std::int32_t*>(sums_.data());
  kernels_.block_bound.first(block, queries_.data(), queries_.size(), sums, masks);
  for (std::size_t quarter = 0; quarter < kBlockRows / kQuarterRows; ++quarter) {
    const std::uint64_t rows = std::uint64_t{0xffff} << (quarter * kQuarterRows);
    std::iota(which_.begin(), which_.end(), 0U);
    std::size_t n = which_.size();
    for (std::size_t s = 1; s < basis_.steps.size(); ++s) {
      std::size_t left = 0;  // no branch: half of the queries pass here, in no order
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t q = which_[i];
        which_[left] = q;
        left += (masks[q] & rows) != 0 ? 1 : 0;
      }
      n = left;
      if (n == 0) break;
      kernels_.block_bound.next(block, basis_.step(s), quarter, queries_.data(), which_.data(), n,
                                sums, masks);
    }
  }
}

}  // namespace ff
