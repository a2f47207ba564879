// Searches of an index.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "index/index.hpp"
#include "search/exact_search.hpp"
#include "stages/metric.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kScoresATask = 256;

}  // namespace

std::shared_lock<FairLock> Index::lock_with(const PlaneNeeds& needs, const Kernels& kernels,
                                            unsigned n_threads) {
  std::shared_lock shared(lock_);
  while (!state_->corpus.has(needs)) {
    shared.unlock();
    {
      const std::unique_lock alone(lock_);
      state_->corpus.require(needs, kernels, n_threads, "vectors");
    }
    shared.lock();
  }
  return shared;
}

void Index::keep_planes(const std::vector<Funnel>& funnels, bool exact) {
  const std::lock_guard changing(changing_);
  const std::unique_lock alone(lock_);
  const Corpus& corpus = state_->corpus;
  PlaneNeeds needs;
  if (exact) needs.add(exact_needs(corpus, exact_scan(corpus, 1)));
  for (const Funnel& funnel : funnels) needs.add(plane_needs(funnel));
  needs.add(metric_needs(metric_, dim_));
  state_->corpus.keep(needs);
}

SearchOptions Index::complete(const SearchOptions& options,
                              const std::optional<RowFilter>& filter) const {
  SearchOptions result = options;
  result.filter = filter ? &*filter : nullptr;
  result.metric = metric_;
  return result;
}

std::optional<RowFilter> Index::make_filter(const Which& which) const {
  if (which.is_all()) return std::nullopt;
  const Corpus& corpus = state_->corpus;
  if (which.pass != nullptr) {
    if (which.count != corpus.n_alive())
      throw std::invalid_argument("filter must have a flag for each of the " +
                                  std::to_string(corpus.n_alive()) + " rows, got " +
                                  std::to_string(which.count));
    return RowFilter(corpus, which.pass);
  }
  RowFilter filter(corpus);
  state_->ids.find_each(which.ids, which.count,
                        [&](std::size_t, Row row) { filter.let_through(row); });
  return filter;
}

std::pair<float, float> Index::lengths(const Kernels& kernels, unsigned n_threads) {
  PlaneNeeds needs;
  needs.add_norms(dim_);
  const auto lock = lock_with(needs, kernels, n_threads);
  std::optional<std::pair<float, float>> range;
  for (const auto& segment : state_->corpus.segments())
    for (std::size_t i = 0; i < segment->n_rows(); ++i) {
      if (!segment->is_alive(i)) continue;
      const float inverse = segment->inverse_norms(dim_)[i];
      const float length = inverse > 0 ? 1 / inverse : 0.0F;
      if (!range) range = {length, length};
      range = {std::min(range->first, length), std::max(range->second, length)};
    }
  return range.value_or(std::pair{0.0F, 0.0F});
}

void Index::search(const Funnel& funnel, const Queries& queries, const Which& which,
                   const SearchOptions& options, const Results& results) {
  check_codes(funnel, format_);
  PlaneNeeds needs = plane_needs(funnel);
  needs.add(metric_needs(metric_, dim_));
  const auto lock = lock_with(needs, options.kernels, options.n_threads);
  const auto filter = make_filter(which);
  funnel_search(state_->corpus, funnel, queries, complete(options, filter), results);
}

void Index::set_basis(Basis basis) {
  check_steps(basis);
  const std::unique_lock lock(lock_);
  if (!state_->corpus.basis())
    state_->corpus.set_basis(std::make_shared<const Basis>(std::move(basis)));
}

void Index::search_exactly(const Queries& queries, const Which& which, const SearchOptions& options,
                           const Results& results) {
  ExactScan scan;
  PlaneNeeds needs;
  {
    const std::shared_lock lock(lock_);
    scan = exact_scan(state_->corpus, queries.count);
    needs = exact_needs(state_->corpus, scan);
  }
  const auto lock = lock_with(needs, options.kernels, options.n_threads);
  const bool was_replaced = state_->corpus.basis() != needs.basis;
  if (scan == ExactScan::projections && was_replaced) scan = ExactScan::int8_rows;
  const auto filter = make_filter(which);
  exact_search(state_->corpus, scan, queries, complete(options, filter), results);
}

void Index::rescore(const Queries& queries, const std::int64_t* ids, std::size_t n, bool per_query,
                    const SearchOptions& options, double* scores) const {
  const std::shared_lock lock(lock_);
  const std::size_t total = queries.count * n;
  const std::size_t n_tasks = (total + kScoresATask - 1) / kScoresATask;
  parallel_for(n_tasks, options.n_threads, [&](std::size_t task) {
    check_interrupt();
    const std::size_t end = std::min(total, (task + 1) * kScoresATask);
    for (std::size_t i = task * kScoresATask; i < end;) {
      const std::size_t q = i / n;
      const Float64Scores true_score(metric_, queries[q], queries.dim, options.kernels);
      for (; i < std::min(end, (q + 1) * n); ++i) {
        const auto row = state_->ids.find(ids[per_query ? i : i % n]);
        scores[i] =
            row ? true_score(state_->corpus.segment_of(*row).rows(), *row % Segment::kMaxRows)
                : -std::numeric_limits<double>::infinity();
      }
    }
  });
}

}  // namespace ff
