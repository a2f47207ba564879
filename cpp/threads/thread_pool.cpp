#include "threads/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/interrupt.hpp"

#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace ff {
namespace {

constexpr auto kAskPeriod = std::chrono::milliseconds(20);

// One parallel_for: workers draw task numbers from a shared counter.
struct Job {
  Job(const std::function<void(std::size_t)>& run, std::size_t n) : task(run), n_tasks(n) {}

  const std::function<void(std::size_t)>& task;
  const std::size_t n_tasks;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;  // written by the one that set failed
  std::mutex error_mutex;

  void fail() {
    const std::lock_guard lock(error_mutex);
    if (!error) error = std::current_exception();
    failed = true;
  }
  void work(bool is_caller) {
    for (;;) {
      const std::size_t i = next.fetch_add(1);
      if (i >= n_tasks || failed) return;
      try {
        const InterruptScope scope(failed, is_caller);
        task(i);
        check_interrupt();
      } catch (...) {
        fail();
      }
    }
  }
};

class Pool {
 public:
  // False if another call has the pool.
  bool try_run(Job& job, unsigned n_helpers) {
    if (busy_.exchange(true)) return false;
    const Release at_return{busy_};
    {
      const std::lock_guard lock(mutex_);
      while (workers_.size() < n_helpers) workers_.emplace_back([this] { serve(); });
      job_ = &job;
      wanted_ = n_helpers;
      active_ = 0;
    }
    wake_.notify_all();
    job.work(true);
    std::unique_lock lock(mutex_);
    job_ = nullptr;  // workers that have not begun stay out
    while (!idle_.wait_for(lock, kAskPeriod, [this] { return active_ == 0; })) {
      lock.unlock();
      try {
        const InterruptScope scope(job.failed, true);
        check_interrupt();
      } catch (...) {
        job.fail();
      }
      lock.lock();
    }
    return true;
  }

 private:
  struct Release {
    std::atomic<bool>& flag;
    ~Release() { flag = false; }
  };

  [[noreturn]] void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return job_ != nullptr && wanted_ > 0; });
      Job* job = job_;
      --wanted_;
      ++active_;
      lock.unlock();
      job->work(false);
      lock.lock();
      if (--active_ == 0) idle_.notify_all();
    }
  }

  // Set by the call that uses the pool. Not a mutex: a nested call asks on the thread that has it.
  std::atomic<bool> busy_{false};
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::vector<std::thread> workers_;
  Job* job_ = nullptr;
  unsigned wanted_ = 0;  // workers still to join the job
  unsigned active_ = 0;  // workers inside the job
};

// Never destroyed: its threads wait until the process ends. A forked child has none of them, so it
// gets a new pool and leaves the old one, whose locks may be held, alone.
std::atomic<Pool*> pool{nullptr};

Pool& the_pool() {
  Pool* existing = pool.load();
  if (existing != nullptr) return *existing;
  auto* fresh = new Pool;
  if (pool.compare_exchange_strong(existing, fresh)) {
#if !defined(_WIN32)
    static std::once_flag registered;
    std::call_once(registered, [] { pthread_atfork(nullptr, nullptr, [] { pool = nullptr; }); });
#endif
    return *fresh;
  }
  delete fresh;
  return *existing;
}

}  // namespace

unsigned available_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1U, static_cast<unsigned>(CPU_COUNT(&set)));
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

void parallel_for(std::size_t n_tasks, unsigned n_threads,
                  const std::function<void(std::size_t task)>& task) {
  refuse_in_interrupt_check();
  Job job(task, n_tasks);
  const auto useful = static_cast<unsigned>(std::min<std::size_t>(n_tasks, n_threads));
  if (useful <= 1 || !the_pool().try_run(job, useful - 1)) job.work(true);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace ff
