#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support.hpp"
#include "threads/fair_lock.hpp"
#include "threads/interrupt.hpp"

namespace ff::test {
namespace {

TEST_CASE("fair_lock: one writer or many readers") {
  FairLock lock;
  long value = 0, mirror = 0;  // always equal outside a writer
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        if (t < 2) {
          const std::unique_lock alone(lock);
          ++value;
          ++mirror;
        } else {
          const std::shared_lock shared(lock);
          if (value != mirror) ++torn;
        }
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(torn == 0);
  CHECK(value == 1000);
}

// With a lock that prefers readers these would keep the writer out for ever.
TEST_CASE("fair_lock: a writer gets in between readers that overlap") {
  FairLock lock;
  std::atomic<bool> written{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t)
    readers.emplace_back([&] {
      while (!written) {
        const std::shared_lock shared(lock);
        std::this_thread::yield();  // the others come in meanwhile
      }
    });
  for (int i = 0; i < 100; ++i) const std::unique_lock alone(lock);
  written = true;
  for (auto& reader : readers) reader.join();
  const std::unique_lock alone(lock);
}

TEST_CASE("fair_lock: who is interrupted while waiting does not hold it") {
  FairLock lock;
  lock.lock();
  set_interrupt_check([] { throw std::runtime_error("interrupted"); });
  CHECK_THROWS_WITH(lock.lock(), "interrupted");
  CHECK_THROWS_WITH(lock.lock_shared(), "interrupted");
  set_interrupt_check(nullptr);
  lock.unlock();
  lock.lock_shared();
  lock.unlock_shared();
  lock.lock();
  lock.unlock();
}

}  // namespace
}  // namespace ff::test
