#include <limits>

#include "core_support.hpp"
#include "stages/select_top.hpp"

namespace ff::test {
namespace {

// By sorting, the way select_top does not go.
template <class Score>
std::vector<std::uint32_t> oracle(const std::vector<Score>& scores, std::size_t keep,
                                  bool keep_ties) {
  auto order = best(scores, all_positions(scores.size()), scores.size());
  std::size_t count = std::min(keep, order.size());
  while (keep_ties && count < order.size() && scores[order[count]] == scores[order[count - 1]])
    ++count;
  order.resize(count);
  std::sort(order.begin(), order.end());
  return {order.begin(), order.end()};
}

template <class Score>
void check(const std::vector<Score>& scores, std::size_t keep) {
  CAPTURE(scores.size());
  CAPTURE(keep);
  for (bool keep_ties : {false, true}) {
    std::vector<std::uint32_t> kept = {9, 9, 9};
    select_top(scores.data(), scores.size(), keep, keep_ties, kept);
    CHECK(difference(kept, oracle(scores, keep, keep_ties)) == "");
  }
  if (keep > scores.size()) return;
  const Cut<Score> cut = find_cut(scores.data(), scores.size(), keep);
  const auto order = best(scores, all_positions(scores.size()), keep);
  CHECK(cut.score == scores[order.back()]);
  CHECK(cut.ties == static_cast<std::size_t>(std::count_if(order.begin(), order.end(), [&](auto i) {
          return scores[i] == cut.score;
        })));
}

template <class Score>
void check_all_keeps(const std::vector<Score>& scores) {
  for (std::size_t keep : {1, 2, 3, 10, 63, 64, 65, 500, 999, 1000, 1001, 5000})
    check(scores, keep);
  check(scores, scores.size());
}

TEST_CASE("select_top: floats of any spread") {
  Random random(1);
  for (std::size_t n : {1, 2, 3, 64, 100, 1000, 4099})
    for (float high : {1e-30F, 1.0F, 1e30F}) {
      const auto values = random.reals(n, -high, high);
      check_all_keeps(std::vector<float>(values.begin(), values.end()));
    }
}

TEST_CASE("select_top: floats with one far outlier") {
  Random random(2);
  const auto values = random.reals(1000, -1, 1);
  std::vector<float> scores(values.begin(), values.end());
  for (float outlier : {1e9F, -1e9F}) {
    scores[500] = outlier;
    check_all_keeps(scores);
  }
}

TEST_CASE("select_top: floats one step apart, and denormal ones") {
  std::vector<float> scores;
  for (int i = 0; i < 1000; ++i)
    scores.push_back(i % 3 == 0 ? 1.0F : std::nextafter(1.0F, i % 3 == 1 ? 0.0F : 2.0F));
  check_all_keeps(scores);
  for (std::size_t i = 0; i < scores.size(); ++i)
    scores[i] = static_cast<float>(i * 7 % 13) * std::numeric_limits<float>::denorm_min();
  check_all_keeps(scores);
}

TEST_CASE("select_top: ties, at the border and everywhere") {
  Random random(3);
  for (std::int64_t values : {1, 2, 5, 40}) {
    std::vector<float> scores(1500);
    for (float& score : scores) score = static_cast<float>(random.integer(1, values)) / 7;
    check_all_keeps(scores);
  }
}

TEST_CASE("select_top: 16-bit and 32-bit integers, in narrow and wide ranges") {
  Random random(4);
  for (std::int64_t high : {0, 1, 5, 510, 511, 512, 513, 3000, 32767}) {
    const auto small = random.integers<std::uint16_t>(1500, 0, high);
    check_all_keeps(std::vector<std::uint16_t>(small.begin(), small.end()));
    const auto below_zero = random.integers<std::int32_t>(1500, -high * 500, 0);
    check_all_keeps(std::vector<std::int32_t>(below_zero.begin(), below_zero.end()));
  }
  const std::vector<std::uint16_t> highest(600, 65535);
  check_all_keeps(highest);
}

TEST_CASE("select_top: sorted either way") {
  std::vector<float> scores(1200);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i) * 0.37F;
  check_all_keeps(scores);
  std::reverse(scores.begin(), scores.end());
  check_all_keeps(scores);
}

TEST_CASE("select_top: what is no number comes last, wherever it stands") {
  Random random(5);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float odd : {nan, -nan, -inf})
    for (const std::size_t step : {2, 3, 700}) {
      const auto values = random.reals(1500, -1, 1);
      std::vector<float> scores(values.begin(), values.end()), ordered = scores;
      for (std::size_t i = 0; i < scores.size(); i += step) {
        scores[i] = odd;
        ordered[i] = std::numeric_limits<float>::lowest();
      }
      for (const std::size_t keep : {1, 10, 500, 700}) {
        std::vector<std::uint32_t> kept;
        select_top(scores.data(), scores.size(), keep, false, kept);
        CHECK(difference(kept, oracle(ordered, keep, false)) == "");
      }
    }
  for (const float odd : {nan, inf, -inf}) {  // nothing else: as many as there are at most
    const std::vector<float> scores(900, odd);
    std::vector<std::uint32_t> kept;
    select_top(scores.data(), scores.size(), 20, false, kept);
    CHECK(kept.size() <= 20);
  }
}

TEST_CASE("select_top: no scores, nothing kept") {
  for (bool keep_ties : {false, true}) {
    std::vector<std::uint32_t> kept = {1, 2};
    select_top(static_cast<const float*>(nullptr), 0, 5, keep_ties, kept);
    CHECK(kept.empty());
  }
}

}  // namespace
}  // namespace ff::test
