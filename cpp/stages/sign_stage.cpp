#include "stages/sign_stage.hpp"

#include <algorithm>

#include "stages/sample.hpp"
#include "stages/select_top.hpp"
#include "threads/interrupt.hpp"

namespace ff {
namespace {

// 256 KiB of cells: they stay in the L2 cache while every tile of queries passes over them.
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kMaxChunkBlocks = 128;  // bounds the room a list needs beyond its limit
constexpr std::size_t kMinSurvivors = 256;    // a shorter list is not worth the selecting

std::span<SignSurvivors> lists_of_thread(std::size_t n_queries) {
  thread_local std::vector<SignSurvivors> lists;
  if (lists.size() < n_queries) lists.resize(n_queries);
  return {lists.data(), n_queries};
}

class SignScanner {
 public:
  SignScanner(const ScanRequest& request, const SignQueries& queries,
              std::span<const BlockRun> blocks)
      : request_(request),
        asked_(queries),
        blocks_(blocks),
        n_blocks_(count_blocks(blocks)),
        sample_(sample_for_thresholds(blocks)),
        n_slices_((request.stage.dims + kSliceDims - 1) / kSliceDims),
        chunk_blocks_(
            std::clamp<std::size_t>(kChunkBytes / (n_slices_ * kCellBytes), 1, kMaxChunkBlocks)),
        limit_(std::max(2 * request.keep, kMinSurvivors)),
        survivors_(lists_of_thread(queries.size())),
        queries_(queries.size()) {
    const std::size_t room =
        std::max(limit_ + chunk_blocks_ * kBlockRows, sample_.size() * kBlockRows);
    for (std::size_t q = 0; q < queries.size(); ++q) {
      if (survivors_[q].rows.size() < room) {
        survivors_[q].rows.resize(room);
        survivors_[q].scores.resize(room);
      }
      queries_[q] = {queries.tables(q), survivors_[q].rows.data(), survivors_[q].scores.data(), 0,
                     0};
    }
  }

  std::span<const SignSurvivors> run() {
    guess_thresholds(queries_, 1);
    pass(queries_);
    rescan_the_short();
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      shorten(q);
      survivors_[q].count = queries_[q].count;
    }
    return survivors_;
  }

 private:
  void scan_run(const BlockRun& run, std::span<SignQuery> queries) const {
    const Segment& segment = *request_.corpus.segments()[run.segment];
    const std::uint64_t* alive =
        request_.mask != nullptr ? (*request_.mask)[run.segment].data() : segment.alive().data();
    const SignBlocks blocks =
        segment.sign_plane().blocks(run.first, run.count, n_slices_, alive,
                                    static_cast<std::uint32_t>(run.segment * Segment::kMaxRows));
    asked_.scan(blocks, queries.data(), queries.size());
  }

  // From what a sample of the blocks scores, so that about `slack` times the rows that are wanted
  // pass. Without a sample thresholds stay 0: everything passes.
  void guess_thresholds(std::span<SignQuery> queries, std::size_t slack) {
    if (sample_.empty()) return;
    for (const BlockRun& run : sample_) scan_run(run, queries);
    for (SignQuery& query : queries) {
      const std::size_t n_rows = query.count * n_blocks_ / sample_.size();
      const std::size_t rank = slack * threshold_rank(request_.keep, query.count, n_rows);
      if (rank < query.count) query.threshold = find_cut(query.scores, query.count, rank).score;
      query.count = 0;
    }
  }

  // All blocks past these queries; lists that grow over the limit are cut and raise their
  // threshold.
  void pass(std::span<SignQuery> queries) {
    for (const BlockRun& run : blocks_)
      for (std::size_t done = 0; done < run.count; done += chunk_blocks_) {
        check_interrupt();
        scan_run({run.segment, run.first + done, std::min(chunk_blocks_, run.count - done)},
                 queries);
        for (SignQuery& query : queries)
          if (query.count > limit_) make_room(static_cast<std::size_t>(&query - queries_.data()));
      }
  }

  // Room for one more chunk: by cutting the list, and where ties fill it by a longer one.
  void make_room(std::size_t q) {
    shorten(q);
    SignQuery& query = queries_[q];
    SignSurvivors& list = survivors_[q];
    if (query.count + chunk_blocks_ * kBlockRows <= list.rows.size()) return;
    list.rows.resize(2 * list.rows.size());
    list.scores.resize(list.rows.size());
    query.rows = list.rows.data();
    query.scores = list.scores.data();
  }

  // A sample that misled: the threshold let fewer rows through than wanted. Once more with a lower
  // one, until it is 0.
  void rescan_the_short() {
    for (SignQuery& query : queries_)
      for (std::size_t slack = 4; query.count < request_.keep && query.threshold > 0; slack *= 4) {
        query.count = 0;
        query.threshold = 0;
        guess_thresholds({&query, 1}, slack);
        pass({&query, 1});
      }
  }

  // Keeps the top `keep`. Later rows that tie with the last of them lose, so they need not pass.
  void shorten(std::size_t q) {
    SignQuery& query = queries_[q];
    select_top(query.scores, query.count, request_.keep, request_.keep_ties, kept_);
    if (kept_.size() == query.count) return;
    std::uint16_t lowest = kMaxScanScore;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      query.rows[i] = query.rows[kept_[i]];
      query.scores[i] = query.scores[kept_[i]];
      lowest = std::min(lowest, query.scores[i]);
    }
    query.count = static_cast<std::uint32_t>(kept_.size());
    query.threshold = static_cast<std::uint16_t>(lowest + (request_.keep_ties ? 0 : 1));
  }

  const ScanRequest& request_;
  const SignQueries& asked_;
  std::span<const BlockRun> blocks_;
  std::size_t n_blocks_;
  std::vector<BlockRun> sample_;
  std::size_t n_slices_;
  std::size_t chunk_blocks_;
  std::size_t limit_;  // survivors a query may gather before its list is cut
  std::span<SignSurvivors> survivors_;
  std::vector<SignQuery> queries_;
  std::vector<std::uint32_t> kept_;
};

}  // namespace

std::span<const SignSurvivors> scan_signs(const ScanRequest& request, const SignQueries& queries,
                                          std::span<const BlockRun> blocks) {
  return SignScanner(request, queries, blocks).run();
}

std::vector<Shortlist> scan_signs(const ScanRequest& request, const Queries& queries,
                                  std::span<const BlockRun> blocks) {
  SignQueries asked(queries.count, request.stage, request.corpus.dim(), request.kernels);
  for (std::size_t q = 0; q < queries.count; ++q) asked.set(q, queries[q]);
  const auto survivors = scan_signs(request, asked, blocks);
  std::vector<Shortlist> shortlists(queries.count);
  for (std::size_t q = 0; q < queries.count; ++q) {
    const std::size_t count = survivors[q].count;
    Shortlist& list = shortlists[q];
    list.rows.assign(survivors[q].rows.begin(),
                     survivors[q].rows.begin() + static_cast<std::ptrdiff_t>(count));
    list.scores.resize(count);
    for (std::size_t i = 0; i < count; ++i)
      list.scores[i] = static_cast<float>(survivors[q].scores[i]) * asked.meaning(q).scale +
                       asked.meaning(q).offset;
  }
  return shortlists;
}

}  // namespace ff
