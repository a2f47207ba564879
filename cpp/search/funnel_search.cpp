#include "search/funnel_search.hpp"

#include <algorithm>
#include <chrono>

#include "stages/rescore.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

constexpr std::size_t kGroupQueries = 32;     // their tables share the cache with a chunk of rows
constexpr std::size_t kMinBlocksAPart = 256;  // 16,384 rows: less is not worth waking a thread

class FunnelSearch {
 public:
  FunnelSearch(const Corpus& corpus, const Funnel& funnel, const Queries& queries,
               const SearchOptions& options, const Results& results)
      : corpus_(corpus), funnel_(funnel), queries_(queries), options_(options), results_(results) {}

  void run() {
    std::size_t n_blocks = 0;
    for (const auto& segment : corpus_.segments()) n_blocks += segment->n_blocks();
    const std::size_t n_parts =
        std::min<std::size_t>(options_.n_threads, n_blocks / kMinBlocksAPart);
    if (queries_.count >= 2 * options_.n_threads || n_parts <= 1)
      by_queries();
    else
      by_rows(n_parts);
  }

 private:
  std::size_t keep_of(std::size_t stage) const {
    const std::size_t wanted = is_last(stage) ? results_.k : funnel_[stage].keep;
    return std::min(wanted, std::max<std::size_t>(1, corpus_.n_rows()));
  }
  bool is_last(std::size_t stage) const { return stage + 1 == funnel_.size(); }

  ScanRequest first_stage() const {
    return {corpus_, options_.mask, funnel_[0], keep_of(0), is_last(0), options_.kernels};
  }

  void by_queries() {
    const auto all_blocks = split_blocks(corpus_, 1)[0];
    const std::size_t group = std::clamp<std::size_t>(
        (queries_.count + options_.n_threads - 1) / options_.n_threads, 1, kGroupQueries);
    parallel_for((queries_.count + group - 1) / group, options_.n_threads, [&](std::size_t g) {
      const std::size_t first = g * group;
      const Queries some = queries_.slice(first, std::min(group, queries_.count - first));
      const Timer timer;
      auto shortlists = scan(first_stage(), some, all_blocks);
      note(0, corpus_.n_rows(), timer);
      for (std::size_t q = 0; q < some.count; ++q) finish(first + q, shortlists[q]);
    });
  }

  void by_rows(std::size_t n_parts) {
    const auto parts = split_blocks(corpus_, n_parts);
    std::vector<std::vector<Shortlist>> partial(n_parts);
    const Timer timer;
    parallel_for(n_parts, options_.n_threads,
                 [&](std::size_t p) { partial[p] = scan(first_stage(), queries_, parts[p]); });
    std::vector<Shortlist> merged = std::move(partial[0]);
    for (std::size_t q = 0; q < queries_.count; ++q) {
      for (std::size_t p = 1; p < n_parts; ++p) {  // parts ascend, so rows do too
        const Shortlist& part = partial[p][q];
        merged[q].rows.insert(merged[q].rows.end(), part.rows.begin(), part.rows.end());
        merged[q].scores.insert(merged[q].scores.end(), part.scores.begin(), part.scores.end());
      }
      shorten(merged[q], keep_of(0), is_last(0));
    }
    note(0, corpus_.n_rows(), timer);
    parallel_for(queries_.count, options_.n_threads, [&](std::size_t q) { finish(q, merged[q]); });
  }

  void finish(std::size_t q, Shortlist& list) const {
    for (std::size_t s = 1; s < funnel_.size(); ++s) {
      const Timer timer;
      const std::size_t n_rows = list.size();
      rescore(corpus_, funnel_[s], queries_[q], options_.kernels, list);
      shorten(list, keep_of(s), is_last(s));
      note(s, n_rows, timer);
    }
    results_.write(q, corpus_, list.rows, list.scores);
  }

  struct Timer {
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    double seconds() const {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
  };

  void note(std::size_t stage, std::size_t n_rows, const Timer& timer) const {
    if (options_.trace == nullptr) return;
    options_.trace->resize(funnel_.size());
    (*options_.trace)[stage] = {n_rows, timer.seconds()};
  }

  const Corpus& corpus_;
  const Funnel& funnel_;
  const Queries& queries_;
  const SearchOptions& options_;
  const Results& results_;
};

}  // namespace

void funnel_search(const Corpus& corpus, const Funnel& funnel, const Queries& queries,
                   const SearchOptions& options, const Results& results) {
  FunnelSearch(corpus, funnel, queries, options, results).run();
}

}  // namespace ff
