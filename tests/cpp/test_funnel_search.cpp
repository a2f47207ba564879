#include <limits>
#include <stdexcept>

#include "core_support.hpp"
#include "search/funnel_search.hpp"

namespace ff::test {
namespace {

constexpr Precision f32 = Precision::f32, i8 = Precision::i8, b1 = Precision::b1;

// For rows and queries of -1 and 1 every stage but the asymmetric scan sees the exact cosine of the
// prefix. Stages keep the top by (score, lower position), the answer is the top by (score, lower
// id).
Answers oracle(const Matrix& base, const std::vector<std::int64_t>& ids, const Funnel& funnel,
               const Matrix& queries, std::vector<std::size_t> among, std::size_t k) {
  Answers answers(queries.n_rows, k);
  for (std::size_t q = 0; q < queries.n_rows; ++q) {
    auto list = among;
    for (std::size_t s = 0; s + 1 < funnel.size(); ++s) {
      list = best(cosines(base, queries.row(q), funnel[s].dims), list, funnel[s].keep);
      std::sort(list.begin(), list.end());
    }
    const auto scores = cosines(base, queries.row(q), funnel.back().dims);
    std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : ids[a] < ids[b];
    });
    for (std::size_t i = 0; i < k; ++i) {
      const bool found = i < list.size();
      answers.ids[q * k + i] = found ? ids[list[i]] : -1;
      answers.scores[q * k + i] =
          found ? static_cast<float>(scores[list[i]]) : -std::numeric_limits<float>::infinity();
    }
  }
  return answers;
}

Answers search(Corpus& corpus, const Funnel& funnel, const Matrix& queries, std::size_t k,
               const SearchOptions& options) {
  validate(funnel, corpus.dim(), k);
  corpus.require(plane_needs(funnel), options.kernels, options.n_threads, "rows");
  Answers answers(queries.n_rows, k);
  funnel_search(corpus, funnel, queries.queries(), options, answers.view());
  return answers;
}

void check(const Answers& actual, const Answers& expected, double tolerance = 1e-6) {
  CHECK(difference(actual.ids, expected.ids) == "");
  int wrong = 0;
  for (std::size_t i = 0; i < expected.scores.size(); ++i)
    wrong +=
        expected.ids[i] < 0
            ? actual.scores[i] != expected.scores[i]
            : std::fabs(static_cast<double>(actual.scores[i] - expected.scores[i])) > tolerance;
  CHECK(wrong == 0);
}

const std::vector<Funnel> kExactFunnels = {
    {{100, f32, false, 0}},
    {{100, i8, false, 0}},
    {{100, b1, true, 0}},
    {{37, f32, false, 60}, {100, f32, false, 0}},
    {{30, i8, false, 90}, {64, i8, false, 50}, {100, i8, false, 0}},
    {{30, i8, false, 90}, {65, i8, false, 50}, {99, f32, false, 40}, {100, f32, false, 0}},
    {{61, b1, true, 200}, {70, b1, true, 100}, {100, b1, false, 0}},
    {{64, b1, true, 200}, {64, b1, false, 100}, {90, i8, false, 50}, {100, f32, false, 0}},
    {{8, f32, false, 300}, {16, i8, false, 200}, {33, f32, false, 100}, {100, i8, false, 0}},
};

TEST_CASE("funnel_search: every stage keeps the rows it should, ties included") {
  for_all_levels([](const Kernels& kernels) {
    Random random(1);
    const Matrix base = sign_rows(2500, 100, random), queries = sign_rows(5, 100, random);
    std::vector<std::int64_t> ids;  // that fall while positions rise
    for (std::size_t i = 0; i < base.n_rows; ++i)
      ids.push_back(9000 - static_cast<std::int64_t>(i));
    Corpus corpus(100);
    corpus.append(base.view(), ids.data(), kernels);
    const Filter odd = make_filter(corpus, [](std::size_t i) { return i % 2 == 1; });
    const Filter few = make_filter(corpus, [](std::size_t i) { return i % 500 == 77; });
    for (std::size_t f = 0; f < kExactFunnels.size(); ++f) {
      CAPTURE(f);
      const Funnel& funnel = kExactFunnels[f];
      for (std::size_t k : {1, 40}) {
        const auto all = oracle(base, ids, funnel, queries, all_positions(2500), k);
        const auto of_odd = oracle(base, ids, funnel, queries, odd.positions, k);
        const auto of_few = oracle(base, ids, funnel, queries, few.positions, k);
        for (unsigned n_threads : {1U, 2U, 3U}) {
          check(search(corpus, funnel, queries, k, {kernels, n_threads}), all);
          check(search(corpus, funnel, queries, k, {kernels, n_threads, &odd.filter}), of_odd);
          check(search(corpus, funnel, queries, k, {kernels, n_threads, &few.filter}), of_few);
        }
      }
    }
  });
}

TEST_CASE("funnel_search: one query among few rows, scanned, packed or gathered") {
  for_all_levels([](const Kernels& kernels) {
    Random random(7);
    const Matrix base = sign_rows(6000, 512, random), queries = sign_rows(6, 512, random);
    const auto ids = consecutive(base.n_rows, 3);
    Corpus corpus(512);
    corpus.append(base.view(), ids.data(), kernels);
    const Funnel funnel = {{256, b1, true, 20}, {512, b1, true, 15}, {512, f32, false, 0}};
    for (const std::size_t every : {3U, 12U, 40U})
      for (const bool together : {false, true}) {
        CAPTURE(every);
        CAPTURE(together);
        const Filter some = make_filter(corpus, [&](std::size_t i) {
          return together ? i >= 1000 && i < 1000 + 6000 / every : i % every == 1;
        });
        const Answers expected = oracle(base, ids, funnel, queries, some.positions, 10);
        check(search(corpus, funnel, queries, 10, {kernels, 1, &some.filter}), expected);
        for (std::size_t q = 0; q < queries.n_rows; ++q) {
          const Matrix query{1, 512, {queries.row(q), queries.row(q) + 512}};
          check(search(corpus, funnel, query, 10, {kernels, 2, &some.filter}),
                oracle(base, ids, funnel, query, some.positions, 10));
        }
      }
  });
}

TEST_CASE("funnel_search: few queries past many rows, cut into parts, give the same") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    const Matrix base = sign_rows(Segment::kMaxRows + 5000, 16, random);
    const Matrix queries = sign_rows(3, 16, random);
    const auto ids = consecutive(base.n_rows, 0);
    Corpus corpus = Corpus::borrow(base.view());
    const Filter third = make_filter(corpus, [](std::size_t i) { return i % 3 == 0; });
    for (const Funnel& funnel : std::vector<Funnel>{{{16, f32, false, 0}},
                                                    {{16, b1, true, 0}},
                                                    {{9, i8, false, 700}, {16, f32, false, 0}},
                                                    {{12, b1, true, 500}, {16, i8, false, 0}}}) {
      const Answers all = oracle(base, ids, funnel, queries, all_positions(base.n_rows), 12);
      const Answers some = oracle(base, ids, funnel, queries, third.positions, 12);
      for (unsigned n_threads : {1U, 2U, 3U, 4U}) {
        check(search(corpus, funnel, queries, 12, {kernels, n_threads}), all);
        check(search(corpus, funnel, queries, 12, {kernels, n_threads, &third.filter}), some);
      }
    }
  });
}

TEST_CASE("funnel_search: real rows, any number of threads and queries, not one bit differs") {
  for_all_levels([](const Kernels& kernels) {
    Random random(3);
    const Matrix base = real_rows(40000, 24, random), queries = real_rows(70, 24, random);
    Corpus corpus = Corpus::borrow(base.view());
    for (const Funnel& funnel :
         std::vector<Funnel>{{{24, b1, false, 300}, {24, i8, false, 90}, {24, f32, false, 0}},
                             {{10, f32, false, 300}, {24, b1, false, 90}, {24, f32, false, 0}}}) {
      const Answers whole = search(corpus, funnel, queries, 10, {kernels, 1});
      for (unsigned n_threads : {2U, 3U})
        CHECK(search(corpus, funnel, queries, 10, {kernels, n_threads}) == whole);
      for (std::size_t q : {0, 31, 69})
        for (unsigned n_threads : {1U, 2U, 3U}) {
          const Matrix one{1, 24, {queries.row(q), queries.row(q) + 24}};
          const Answers alone = search(corpus, funnel, one, 10, {kernels, n_threads});
          CHECK(std::equal(alone.ids.begin(), alone.ids.end(), whole.ids.begin() + q * 10));
          CHECK(
              std::equal(alone.scores.begin(), alone.scores.end(), whole.scores.begin() + q * 10));
        }
      double worst = 0;  // the last stage's scores are the cosines of the rows beside them
      for (std::size_t i = 0; i < whole.ids.size(); ++i)
        worst = std::max(worst, std::fabs(static_cast<double>(whole.scores[i]) -
                                          cosine(base.row(static_cast<std::size_t>(whole.ids[i])),
                                                 queries.row(i / 10), 24)));
      CHECK(worst < 1e-6);
    }
  });
}

TEST_CASE("funnel_search: stages that keep every row lose nothing") {
  for_all_levels([](const Kernels& kernels) {
    Random random(4);
    const Matrix base = real_rows(600, 48, random), queries = real_rows(5, 48, random);
    const auto ids = consecutive(600, 0);
    Corpus corpus = Corpus::borrow(base.view());
    for (Precision first : {f32, i8, b1})
      for (Precision second : {f32, i8, b1}) {
        const Funnel funnel = {
            {20, first, false, 600}, {33, second, false, 600}, {48, f32, false, 0}};
        const Funnel last = {funnel.back()};
        const Answers expected = oracle(base, ids, last, queries, all_positions(600), 20);
        for (unsigned n_threads : {1U, 2U, 3U})
          check(search(corpus, funnel, queries, 20, {kernels, n_threads}), expected);
        Funnel wide = funnel;  // keeps beyond the rows there are
        wide[0].keep = wide[1].keep = 100000;
        check(search(corpus, wide, queries, 20, {kernels, 2}), expected);
        const Answers more = oracle(base, ids, last, queries, all_positions(600), 700);
        check(search(corpus, wide, queries, 700, {kernels, 2}), more);
      }
  });
}

TEST_CASE("funnel_search: a trace has the rows of every stage") {
  Random random(5);
  const Matrix base = sign_rows(800, 64, random), query = sign_rows(1, 64, random);
  Corpus corpus = Corpus::borrow(base.view());
  std::vector<StageTrace> trace;
  const Funnel funnel = {{16, i8, false, 200}, {32, f32, false, 30}, {64, f32, false, 0}};
  search(corpus, funnel, query, 5, {reference(), 1, nullptr, &trace});
  REQUIRE(trace.size() == 3);
  CHECK(trace[0].rows == 800);
  CHECK(trace[1].rows == 200);
  CHECK(trace[2].rows == 30);
  for (const StageTrace& stage : trace) CHECK(stage.seconds >= 0);
}

TEST_CASE("funnel_search: an empty corpus answers nothing") {
  Corpus corpus(16);
  const Matrix queries{2, 16, std::vector<float>(32, 1.0F)};
  for (const Funnel& funnel : std::vector<Funnel>{{{16, f32, false, 0}}, {{16, b1, false, 0}}}) {
    const Answers answers = search(corpus, funnel, queries, 3, {reference(), 2});
    CHECK(difference(answers.ids, std::vector<std::int64_t>(6, -1)) == "");
  }
}

std::string message_of(const Funnel& funnel, std::size_t dim, std::size_t k) {
  try {
    validate(funnel, dim, k);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("funnel_search: a funnel that does not fit is named") {
  const Stage scan = {32, b1, false, 100}, middle = {48, i8, false, 50}, last = {64, f32, false, 0};
  CHECK(message_of({scan, middle, last}, 64, 10) == "");
  CHECK(message_of({}, 64, 10) == "funnel must have at least one stage, got none");
  CHECK(message_of({scan, last}, 63, 10) == "funnel stage 2 must read 1 to 63 dims, got 64");
  CHECK(message_of({{0, f32, false, 0}}, 64, 1) == "funnel stage 1 must read 1 to 64 dims, got 0");
  const Stage widest = {32767, b1, true, 100}, wider = {32768, b1, true, 100};
  CHECK(message_of({widest, {40000, b1, true, 0}}, 40000, 1) == "");
  CHECK(message_of({wider, {40000, b1, true, 0}}, 40000, 1) ==
        "funnel stage 1 must read at most 32767 dims as b1, got 32768");
  CHECK(message_of({middle, scan, last}, 64, 1) ==
        "funnel stage 2 must read at least the 48 dims of the stage before, got 32");
  CHECK(message_of({scan, {48, i8, false, 101}, last}, 64, 1) ==
        "funnel stage 2 must keep at most the 100 rows of the stage before, got 101");
  CHECK(message_of({scan, middle, last}, 64, 51) ==
        "funnel stage 2 must keep at least k = 51 rows, got 50");
}

}  // namespace
}  // namespace ff::test
