#include "index/index.hpp"

#include <bit>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "arrays/float_rows.hpp"

namespace ff {
namespace {

constexpr std::uint32_t kExponent = 0x7f800000;

// Throws for the first row that is not finite as float32.
void check_finite(const MatrixView& rows, const Kernels& kernels) {
  FloatRows reader(rows, kernels);
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    const float* row = reader.row(i);
    std::uint32_t bad = 0;  // the exponent of nan and inf is all ones
    for (std::size_t d = 0; d < rows.dim; ++d)
      bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(row[d]) & kExponent) ==
                                        kExponent);
    if (bad != 0)
      throw std::invalid_argument("vectors must be finite, got nan or inf in row " +
                                  std::to_string(i));
  }
}

}  // namespace

std::size_t Index::size() const {
  const std::shared_lock lock(mutex_);
  return corpus_.n_rows();
}

bool Index::contains(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  return ids_.find(id).has_value();
}

IndexSizes Index::sizes() const {
  const std::shared_lock lock(mutex_);
  IndexSizes sizes;
  for (const auto& segment : corpus_.segments()) {
    sizes.float_bytes += segment->float_bytes();
    sizes.plane_bytes += segment->plane_bytes();
  }
  return sizes;
}

void Index::add(const MatrixView& rows, const std::int64_t* ids, const Kernels& kernels) {
  check_finite(rows, kernels);
  const std::unique_lock lock(mutex_);
  check_new(ids, rows.n_rows);
  const Row first = corpus_.next_row();
  corpus_.append(rows, ids, kernels);
  ids_.extend(first);
}

void Index::adopt(const MatrixView& rows, const std::int64_t* ids) {
  const std::unique_lock lock(mutex_);
  check_new(ids, rows.n_rows);
  const auto first = static_cast<Row>(corpus_.segments().size() * Segment::kMaxRows);
  corpus_.adopt(rows, ids);
  ids_.extend(first);
}

void Index::check_new(const std::int64_t* ids, std::size_t n) const {
  if (const auto taken = ids_.first_duplicate(ids, n))
    throw std::invalid_argument("ids must be new and unique, got " + std::to_string(*taken) +
                                " which is already there or comes twice");
}

void Index::get(const std::int64_t* ids, std::size_t n, float* out) const {
  const std::shared_lock lock(mutex_);
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = ids_.find(ids[i]);
    if (!row) throw std::out_of_range("id " + std::to_string(ids[i]) + " is not in the index");
    std::memcpy(out + i * dim(), corpus_.segment_of(*row).rows().row(*row % Segment::kMaxRows),
                dim() * sizeof(float));
  }
}

std::vector<std::int64_t> Index::ids() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::int64_t> all;
  all.reserve(corpus_.n_rows());
  for (const auto& segment : corpus_.segments())
    for (std::size_t i = 0; i < segment->n_rows(); ++i) all.push_back(segment->id(i));
  return all;
}

std::shared_lock<std::shared_mutex> Index::lock_with(const PlaneNeeds& needs,
                                                     const Kernels& kernels, unsigned n_threads) {
  std::shared_lock shared(mutex_);
  while (!corpus_.has(needs)) {
    shared.unlock();
    {
      const std::unique_lock alone(mutex_);
      corpus_.require(needs, kernels, n_threads, "vectors");
    }
    shared.lock();
  }
  return shared;
}

void Index::search(const Funnel& funnel, const Queries& queries, const SearchOptions& options,
                   const Results& results) {
  const auto lock = lock_with(plane_needs(funnel), options.kernels, options.n_threads);
  funnel_search(corpus_, funnel, queries, options, results);
}

void Index::search_exactly(const Queries& queries, const SearchOptions& options,
                           const Results& results) {
  const ExactScan scan = ExactScan::int8_rows;
  const auto lock = lock_with(exact_needs(corpus_, scan), options.kernels, options.n_threads);
  exact_search(corpus_, scan, queries, options, results);
}

}  // namespace ff
