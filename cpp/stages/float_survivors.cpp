#include "stages/float_survivors.hpp"

#include <algorithm>
#include <bit>

#include "stages/select_top.hpp"

namespace ff {
namespace {

constexpr std::size_t kMinLimit = 1024;  // below this a shorter list is not worth the selecting

}  // namespace

FloatSurvivors::FloatSurvivors(std::size_t keep, bool keep_ties, Width width)
    : keep_(keep),
      keep_ties_(keep_ties),
      width_(std::move(width)),
      limit_(std::max(2 * keep, kMinLimit)) {}

void FloatSurvivors::clear() {
  rows_.clear();
  scores_.clear();
}

void FloatSurvivors::offer(const float* scores, std::uint64_t alive, Row first_row) {
  int any = 0;  // most blocks have none, which a loop without shifts sees four rows at a time
  for (std::size_t r = 0; r < kBlockRows; ++r) any |= scores[r] >= threshold_;
  if (any == 0) return;
  std::uint64_t passing = 0;
  for (std::size_t r = 0; r < kBlockRows; ++r)
    passing |= static_cast<std::uint64_t>(scores[r] >= threshold_) << r;
  for (passing &= alive; passing != 0; passing &= passing - 1) {
    const auto r = static_cast<std::uint32_t>(std::countr_zero(passing));
    rows_.push_back(first_row + r);
    scores_.push_back(scores[r]);
  }
  if (rows_.size() >= limit_) shorten();
}

void FloatSurvivors::shorten() {
  select_top(scores_.data(), scores_.size(), keep_, keep_ties_, kept_);
  if (kept_.size() < scores_.size()) {
    // The true score of each of these is at least `lowest`, so a row below it is not wanted.
    float lowest = scores_[kept_[0]];
    for (std::uint32_t i : kept_)
      lowest = std::min(lowest, scores_[i] - (width_ ? width_(rows_[i]) : 0.0F));
    threshold_ = std::max(threshold_, lowest);
    if (width_) {
      kept_.clear();
      for (std::size_t i = 0; i < scores_.size(); ++i)
        if (scores_[i] >= threshold_) kept_.push_back(static_cast<std::uint32_t>(i));
    }
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      rows_[i] = rows_[kept_[i]];
      scores_[i] = scores_[kept_[i]];
    }
    rows_.resize(kept_.size());
    scores_.resize(kept_.size());
  }
  limit_ = std::max(limit_, 2 * rows_.size());  // many ties: let the list grow, do not cut in vain
}

Shortlist FloatSurvivors::finish() {
  shorten();
  Shortlist list;
  list.rows = std::move(rows_);
  list.scores = std::move(scores_);
  return list;
}

}  // namespace ff
