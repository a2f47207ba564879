#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "support.hpp"
#include "threads/thread_pool.hpp"

#if defined(__linux__)
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace ff::test {
namespace {

// How often each task ran.
std::vector<int> runs(std::size_t n_tasks, unsigned n_threads) {
  std::vector<std::atomic<int>> counts(n_tasks);
  parallel_for(n_tasks, n_threads, [&](std::size_t i) { ++counts[i]; });
  return {counts.begin(), counts.end()};
}

TEST_CASE("thread_pool: every task runs once, for any number of tasks and threads") {
  for (std::size_t n_tasks : {0, 1, 2, 3, 7, 1000})
    for (unsigned n_threads : {0U, 1U, 2U, 3U, 9U})
      CHECK(difference(runs(n_tasks, n_threads), std::vector<int>(n_tasks, 1)) == "");
}

TEST_CASE("thread_pool: one thread is the caller's") {
  std::set<std::thread::id> used;
  parallel_for(20, 1, [&](std::size_t) { used.insert(std::this_thread::get_id()); });
  CHECK(used == std::set<std::thread::id>{std::this_thread::get_id()});
}

// Each task waits until all three have begun: with fewer threads this would never end.
TEST_CASE("thread_pool: tasks run at the same time") {
  std::mutex mutex;
  std::condition_variable all_begun;
  int begun = 0;
  std::set<std::thread::id> used;
  parallel_for(3, 3, [&](std::size_t) {
    std::unique_lock lock(mutex);
    used.insert(std::this_thread::get_id());
    ++begun;
    all_begun.notify_all();
    all_begun.wait(lock, [&] { return begun == 3; });
  });
  CHECK(used.size() == 3);
}

TEST_CASE("thread_pool: at most the threads asked for take part") {
  runs(100, 8);  // the pool has seven workers now
  std::mutex mutex;
  std::set<std::thread::id> used;
  for (int round = 0; round < 20; ++round) {
    used.clear();
    parallel_for(200, 2, [&](std::size_t) {
      const std::lock_guard lock(mutex);
      used.insert(std::this_thread::get_id());
    });
    CHECK(used.size() <= 2);
  }
}

TEST_CASE("thread_pool: what a task throws reaches the caller, from any task") {
  for (unsigned n_threads : {1U, 2U, 3U})
    for (std::size_t bad : {0, 1, 17, 63}) {
      std::string message;
      try {
        parallel_for(64, n_threads, [&](std::size_t i) {
          if (i == bad) throw std::out_of_range("task " + std::to_string(i));
        });
      } catch (const std::out_of_range& error) {
        message = error.what();
      }
      CHECK(message == "task " + std::to_string(bad));
    }
  CHECK(difference(runs(50, 3), std::vector<int>(50, 1)) == "");
}

TEST_CASE("thread_pool: after an exception no further task begins") {
  std::size_t begun = 0;
  CHECK_THROWS_AS(parallel_for(1000, 1,
                               [&](std::size_t i) {
                                 ++begun;
                                 if (i == 5) throw std::runtime_error("");
                               }),
                  std::runtime_error);
  CHECK(begun == 6);
  // All tasks throw: one exception arrives, and the call still waits for all threads.
  for (int round = 0; round < 50; ++round)
    CHECK_THROWS_AS(parallel_for(100, 3, [](std::size_t) { throw std::runtime_error(""); }),
                    std::runtime_error);
}

TEST_CASE("thread_pool: calls nest") {
  std::vector<std::atomic<int>> counts(6 * 40);
  parallel_for(6, 3, [&](std::size_t outer) {
    parallel_for(40, 3, [&](std::size_t inner) { ++counts[outer * 40 + inner]; });
  });
  CHECK(difference(std::vector<int>(counts.begin(), counts.end()), std::vector<int>(240, 1)) == "");
  CHECK_THROWS_AS(parallel_for(6, 3,
                               [&](std::size_t) {
                                 parallel_for(4, 3, [](std::size_t inner) {
                                   if (inner == 2) throw std::domain_error("");
                                 });
                               }),
                  std::domain_error);
  CHECK(difference(runs(50, 3), std::vector<int>(50, 1)) == "");
}

TEST_CASE("thread_pool: calls come from several threads at once") {
  constexpr int kCallers = 4, kRounds = 50;
  std::vector<std::vector<int>> totals(kCallers);
  std::vector<int> caught(kCallers);
  std::vector<std::thread> callers;
  for (std::size_t c = 0; c < kCallers; ++c)
    callers.emplace_back([&, c] {
      for (int round = 0; round < kRounds; ++round) {
        totals[c].push_back(0);
        for (int count : runs(60, 3)) totals[c].back() += count;
        try {
          parallel_for(9, 3, [&](std::size_t i) {
            if (i == c) throw c;
          });
        } catch (std::size_t thrown) {
          caught[c] += thrown == c;
        }
      }
    });
  for (std::thread& caller : callers) caller.join();
  for (const auto& of_caller : totals)
    CHECK(difference(of_caller, std::vector<int>(kRounds, 60)) == "");
  CHECK(difference(caught, std::vector<int>(kCallers, kRounds)) == "");
}

TEST_CASE("thread_pool: there is at least one core, and no more than the machine has") {
  CHECK(available_cores() >= 1);
  if (std::thread::hardware_concurrency() > 0)
    CHECK(available_cores() <= std::thread::hardware_concurrency());
}

#if defined(__linux__)
TEST_CASE("thread_pool: the affinity mask counts") {
  cpu_set_t before, first;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CPU_ZERO(&first);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  CPU_SET(cpu, &first);
  REQUIRE(sched_setaffinity(0, sizeof first, &first) == 0);
  CHECK(available_cores() == 1);
  REQUIRE(sched_setaffinity(0, sizeof before, &before) == 0);
}

// The thread sanitizer does not follow threads that start after a fork.
#if !defined(__SANITIZE_THREAD__)
// Runs in the child: three tasks that wait for each other, so they need threads of its own.
bool has_threads() {
  std::mutex mutex;
  std::condition_variable all_begun;
  int begun = 0;
  parallel_for(3, 3, [&](std::size_t) {
    std::unique_lock lock(mutex);
    ++begun;
    all_begun.notify_all();
    all_begun.wait(lock, [&] { return begun == 3; });
  });
  return begun == 3;
}

TEST_CASE("thread_pool: a forked child has threads of its own, and so has its child") {
  runs(100, 4);
  for (int round = 0; round < 3; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      alarm(60);
      const bool here = has_threads();
      const pid_t grandchild = fork();
      if (grandchild == 0) {
        alarm(60);
        _exit(has_threads() ? 0 : 1);
      }
      int status = 1;
      waitpid(grandchild, &status, 0);
      _exit(here && status == 0 ? 0 : 1);
    }
    CHECK(difference(runs(100, 4), std::vector<int>(100, 1)) == "");
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
}
#endif
#endif

}  // namespace
}  // namespace ff::test
