#include "search/hamming_search.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "stages/select_top.hpp"
#include "stages/sign_stage.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff {
namespace {

// From here on the scan's faster inner loop pays for bringing the codes into its layout.
constexpr std::size_t kMinScanQueries = 8;
constexpr std::size_t kGroupQueries = 32;
constexpr std::size_t kMaxRows = Corpus::kMaxSegments * Segment::kMaxRows;
constexpr std::size_t kRowsAtOnce = 1024;  // their distances stay in the L1 cache

struct HammingResults {
  std::int64_t* ids;
  std::int32_t* distances;
  std::size_t k;

  // Writes the k nearest of these rows, nearest first, ties by lower row. Rows ascend.
  template <class Distance>
  void write(std::size_t q, std::size_t n, const Row* rows, const Distance& distance_of) const {
    std::vector<std::pair<std::int32_t, Row>> nearest;
    for (std::size_t i = 0; i < n; ++i) nearest.emplace_back(distance_of(i), rows[i]);
    const std::size_t found = std::min(k, n);
    std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(found),
                      nearest.end());
    for (std::size_t i = 0; i < k; ++i) {
      distances[q * k + i] = i < found ? nearest[i].first : -1;
      ids[q * k + i] = i < found ? static_cast<std::int64_t>(nearest[i].second) : -1;
    }
  }
};

void by_scan(const CodeView& codes, const CodeView& queries, const Kernels& kernels,
             unsigned n_threads, const HammingResults& results) {
  const std::size_t dims = codes.n_bytes * 8;
  const Corpus corpus = Corpus::from_codes(codes, n_threads);
  const auto blocks = split_blocks(corpus, 1)[0];
  const ScanRequest request = {
      corpus, nullptr, {dims, Precision::b1, true, 0}, std::min(results.k, codes.n_rows),
      false,  kernels};
  const std::size_t n_groups = (queries.n_rows + kGroupQueries - 1) / kGroupQueries;
  parallel_for(n_groups, n_threads, [&](std::size_t g) {
    const std::size_t first = g * kGroupQueries;
    const std::size_t count = std::min(kGroupQueries, queries.n_rows - first);
    SignQueries asked(count, request.stage, dims, kernels);
    for (std::size_t q = 0; q < count; ++q) asked.set_code(q, queries.row(first + q));
    const auto survivors = scan_signs(request, asked, blocks);
    for (std::size_t q = 0; q < count; ++q)
      results.write(first + q, survivors[q].count, survivors[q].rows.data(), [&](std::size_t i) {
        return static_cast<std::int32_t>(dims) - survivors[q].scores[i];
      });
  });
}

// Row after row as they lie. Scores are negative distances.
class NearestRows {
 public:
  explicit NearestRows(std::size_t k) : k_(k), limit_(2 * k + kListRows) {}

  void offer(const std::int32_t* distances, std::size_t n, Row first_row) {
    for (std::size_t i = 0; i < n; i += kRowsAGlance) {
      const std::size_t end = std::min(n, i + kRowsAGlance);
      std::int32_t nearer = 0;  // mostly none, and counting needs no branch
      for (std::size_t r = i; r < end; ++r) nearer += distances[r] < nearer_than_ ? 1 : 0;
      for (std::size_t r = i; nearer > 0 && r < end; ++r) {
        if (distances[r] >= nearer_than_) continue;
        rows_.push_back(first_row + static_cast<Row>(r));
        scores_.push_back(-distances[r]);
        if (scores_.size() == limit_) shorten();
      }
    }
  }
  // Keeps the k nearest, ties by lower row; a later row must be nearer than the last of them.
  void shorten() {
    select_top(scores_.data(), scores_.size(), k_, false, kept_);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      rows_[i] = rows_[kept_[i]];
      scores_[i] = scores_[kept_[i]];
    }
    rows_.resize(kept_.size());
    scores_.resize(kept_.size());
    if (scores_.size() == k_) nearer_than_ = -*std::min_element(scores_.begin(), scores_.end());
  }
  const std::vector<Row>& rows() const { return rows_; }
  std::int32_t distance(std::size_t i) const { return -scores_[i]; }

 private:
  static constexpr std::size_t kRowsAGlance = 64;
  static constexpr std::size_t kListRows = 256;  // cutting shorter lists costs more than it saves

  std::size_t k_;
  std::size_t limit_;
  std::int32_t nearer_than_ = std::numeric_limits<std::int32_t>::max();
  std::vector<Row> rows_;
  std::vector<std::int32_t> scores_;
  std::vector<std::uint32_t> kept_;
};

void by_rows(const CodeView& codes, const CodeView& queries, const Kernels& kernels,
             unsigned n_threads, const HammingResults& results) {
  parallel_for(queries.n_rows, n_threads, [&](std::size_t q) {
    NearestRows nearest(results.k);
    std::vector<std::int32_t> distances(kRowsAtOnce);
    for (std::size_t first = 0; first < codes.n_rows; first += kRowsAtOnce) {
      check_interrupt();
      const std::size_t count = std::min(kRowsAtOnce, codes.n_rows - first);
      kernels.hamming.distances(queries.row(q), codes.row(first), codes.row_stride, count,
                                codes.n_bytes, distances.data());
      nearest.offer(distances.data(), count, static_cast<Row>(first));
    }
    nearest.shorten();
    results.write(q, nearest.rows().size(), nearest.rows().data(),
                  [&](std::size_t i) { return nearest.distance(i); });
  });
}

}  // namespace

void hamming_search(const CodeView& codes, const CodeView& queries, std::size_t k,
                    const Kernels& kernels, unsigned n_threads, std::int64_t* ids,
                    std::int32_t* distances) {
  if (codes.n_rows > kMaxRows)
    throw std::length_error("codes must be at most 2^32, got " + std::to_string(codes.n_rows));
  const HammingResults results = {ids, distances, k};
  const bool fits_tables = codes.n_bytes * 8 <= static_cast<std::size_t>(kMaxScanScore);
  if (queries.n_rows >= kMinScanQueries && fits_tables)
    by_scan(codes, queries, kernels, n_threads, results);
  else
    by_rows(codes, queries, kernels, n_threads, results);
}

}  // namespace ff
