#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "core_support.hpp"
#include "index/index.hpp"
#include "threads/fair_lock.hpp"
#include "threads/interrupt.hpp"
#include "threads/thread_pool.hpp"

namespace ff::test {
namespace {

// An interrupt check for as long as it lives.
struct Check {
  explicit Check(std::function<void()> check) { set_interrupt_check(std::move(check)); }
  ~Check() { set_interrupt_check(nullptr); }
};

[[noreturn]] void interrupt() { throw std::runtime_error("interrupted"); }

// Only an interrupt ends it.
void work_for_ever() {
  for (;;) check_interrupt();
}

TEST_CASE("interrupt: without a check nothing happens") {
  for (int i = 0; i < 1000; ++i) check_interrupt();
  parallel_for(100, 3, [](std::size_t) { check_interrupt(); });
}

TEST_CASE("interrupt: it ends one long task, on the thread that called") {
  int checks = 0;
  std::set<std::thread::id> used;
  const Check check([&] {
    used.insert(std::this_thread::get_id());
    if (++checks == 3) interrupt();
  });
  CHECK_THROWS_WITH(parallel_for(1, 1, [](std::size_t) { work_for_ever(); }), "interrupted");
  CHECK(checks == 3);
  CHECK(used == std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST_CASE("interrupt: it ends the long tasks of all threads") {
  const std::thread::id caller = std::this_thread::get_id();
  const Check check([&] {
    CHECK(std::this_thread::get_id() == caller);
    interrupt();
  });
  CHECK_THROWS_WITH(parallel_for(3, 3, [](std::size_t) { work_for_ever(); }), "interrupted");
  // Also while the caller has nothing left to do but wait.
  std::atomic<bool> helper_works{false};
  const auto leave_it_to_the_helper = [&](std::size_t) {
    if (std::this_thread::get_id() != caller) {
      helper_works = true;
      work_for_ever();
    }
    while (!helper_works) std::this_thread::yield();
  };
  CHECK_THROWS_WITH(parallel_for(2, 2, leave_it_to_the_helper), "interrupted");
}

TEST_CASE("interrupt: a task that fails ends the long tasks of other threads") {
  CHECK_THROWS_WITH(parallel_for(3, 3,
                                 [](std::size_t i) {
                                   if (i == 2) throw std::runtime_error("failed");
                                   work_for_ever();
                                 }),
                    "failed");
}

TEST_CASE("interrupt: calls from inside the check are refused") {
  int refused = 0;
  FairLock lock;
  const Check check([&] {
    try {
      parallel_for(1, 1, [](std::size_t) {});
    } catch (const std::logic_error&) {
      ++refused;
    }
    CHECK_THROWS_AS(lock.lock_shared(), std::logic_error);
    interrupt();
  });
  CHECK_THROWS_WITH(work_for_ever(), "interrupted");
  CHECK(refused == 1);
}

// Interrupts as soon as the index asks, again and again, until the call gets through.
TEST_CASE("interrupt: an index that was interrupted in the middle of anything is as before") {
  Random random(1);
  const Matrix rows = real_rows(3000, 8, random), queries = real_rows(3, 8, random);
  const auto ids = consecutive(3000, 0);
  const Kernels& kernels = kernels_for(available_isas().back());
  Index index(8);
  index.add(rows.view().rows(0, 2000), ids.data(), kernels);
  int interrupts = 0;
  const Check check([&] {
    if (++interrupts % 2 == 1) interrupt();
  });
  const auto try_until_done = [&](const auto& call) {
    for (;;) {
      try {
        call();
        return;
      } catch (const std::runtime_error& error) {
        CHECK(std::string(error.what()) == "interrupted");
      }
    }
  };
  try_until_done([&] { index.add(rows.view().rows(2000, 1000), ids.data() + 2000, kernels); });
  CHECK(index.size() == 3000);
  try_until_done([&] { index.remove(ids.data(), 100); });
  CHECK(index.size() == 2900);
  Answers answers(3, 5);
  try_until_done(
      [&] { index.search_exactly(queries.queries(), {}, {kernels, 2}, answers.view()); });
  try_until_done([&] { index.compact(kernels, 1); });
  CHECK(index.size() == 2900);
  Answers again(3, 5);
  try_until_done([&] { index.search_exactly(queries.queries(), {}, {kernels, 1}, again.view()); });
  CHECK(answers == again);
}

}  // namespace
}  // namespace ff::test
