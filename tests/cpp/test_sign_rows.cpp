// Sign bits kept once: the rows leave out what the plane holds.
#include "core_support.hpp"
#include "search/funnel_search.hpp"

namespace ff::test {
namespace {

TEST_CASE("sign_rows: whole codes come back, whatever the plane holds of them") {
  Random random(1);
  const std::size_t n = 150, stride = 40;
  const auto codes = random.bytes(n * stride);
  const auto ids = random.ids(90, n);
  for (std::size_t skipped = 0; skipped <= 5; ++skipped) {
    CAPTURE(skipped);
    SignPlane plane(std::max<std::size_t>(skipped, 1), 3);
    plane.write(0, n, codes.data(), stride);
    SignRows rows(stride, skipped, 128);
    rows.write(0, 100, codes.data(), stride);
    SignRows larger = rows.grown(192);
    larger.write(100, 50, codes.data() + 100 * stride, stride);
    CHECK(larger.is_built());
    CHECK(larger.n_bytes() == 192 * (stride - 8 * skipped));
    std::vector<std::uint8_t> out(ids.size() * stride), expected;
    larger.gather(plane, ids.data(), ids.size(), out.data());
    for (const std::uint32_t id : ids)
      expected.insert(expected.end(), codes.data() + id * stride, codes.data() + (id + 1) * stride);
    CHECK(difference(out, expected) == "");
  }
  CHECK(!SignRows().is_built());
  CHECK(!SignRows().grown(64).is_built());
}

// The same answers as with whole rows, through additions, dropped planes and longer scans.
TEST_CASE("a corpus that keeps signs once finds what one that keeps them twice finds") {
  for_all_levels([](const Kernels& kernels) {
    Random random(2);
    const Matrix base = real_rows(900, 200, random), queries = real_rows(4, 200, random);
    const auto ids = consecutive(base.n_rows, 0);
    Corpus once(200, {Element::f32, true, true, true}), twice(200);
    const auto compare = [&](const Funnel& funnel) {
      Answers a(4, 10), b(4, 10);
      for (Corpus* corpus : {&once, &twice})
        corpus->require(plane_needs(funnel), kernels, 1, "rows");
      funnel_search(once, funnel, queries.queries(), {kernels}, a.view());
      funnel_search(twice, funnel, queries.queries(), {kernels}, b.view());
      CHECK(a == b);
    };
    const Funnel narrow = {{64, Precision::b1, false, 300},
                           {200, Precision::b1, false, 50},
                           {200, Precision::b1, true, 0}};
    const Funnel wide = {{200, Precision::b1, false, 300}, {200, Precision::b1, false, 0}};
    for (Corpus* corpus : {&once, &twice})
      corpus->append(base.view().rows(0, 500), ids.data(), kernels);
    compare(narrow);
    for (Corpus* corpus : {&once, &twice})
      corpus->append(base.view().rows(500, 400), ids.data() + 500, kernels);
    compare(narrow);
    const Segment& segment = *once.segments()[0];
    CHECK(segment.signs_are_split());
    CHECK(segment.plane_bytes() < twice.segments()[0]->plane_bytes());
    compare(wide);
    once.keep(plane_needs(narrow));
    compare(narrow);
    once.keep({});
    compare(wide);
    compare(narrow);
    // A filter brings the sign bits of its rows together.
    Answers a(4, 10), b(4, 10);
    const auto first = [](std::size_t position) { return position % 3 == 0; };
    const Filter of_once = make_filter(once, first), of_twice = make_filter(twice, first);
    funnel_search(once, narrow, queries.queries(), {kernels, 1, &of_once.filter}, a.view());
    funnel_search(twice, narrow, queries.queries(), {kernels, 1, &of_twice.filter}, b.view());
    CHECK(a == b);
  });
}

}  // namespace
}  // namespace ff::test
