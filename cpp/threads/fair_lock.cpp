#include "threads/fair_lock.hpp"

#include <chrono>
#include <new>
#include <stdexcept>
#include <unordered_set>

#include "threads/interrupt.hpp"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace ff {
namespace {

constexpr auto kAskPeriod = std::chrono::milliseconds(50);

}  // namespace

// All locks there are, for the child of a fork. Never destroyed, so that locks may outlive it.
struct LivingLocks {
  std::mutex mutex;
  std::unordered_set<FairLock*> locks;

  static LivingLocks& get() {
    static auto* living = [] {
      auto* fresh = new LivingLocks;
#if !defined(_WIN32)
      pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                     [] { get().forget_threads(); });
#endif
      return fresh;
    }();
    return *living;
  }

  void forget_threads() {
    for (FairLock* lock : locks) lock->forget_threads();
    mutex.unlock();
  }
};

FairLock::FairLock(bool tears) : tears_(tears) {
  LivingLocks& living = LivingLocks::get();
  const std::lock_guard guard(living.mutex);
  living.locks.insert(this);
}

FairLock::~FairLock() {
  LivingLocks& living = LivingLocks::get();
  const std::lock_guard guard(living.mutex);
  living.locks.erase(this);
}

// Whoever held these is not there any more, so they are not destroyed but made anew.
void FairLock::forget_threads() {
  new (&mutex_) std::mutex;
  new (&changed_) std::condition_variable;
  torn_ = torn_ || (writing_ && tears_);
  readers_ = writers_waiting_ = 0;
  writing_ = false;
}

void FairLock::refuse() const {
  refuse_in_interrupt_check();
  if (torn_)
    throw std::runtime_error(
        "this index was being changed by another thread when the process was forked");
}

template <class Ready>
void FairLock::wait(std::unique_lock<std::mutex>& guard, const Ready& ready) {
  while (!changed_.wait_for(guard, kAskPeriod, ready)) {
    guard.unlock();  // Python may run anything in a check
    check_interrupt();
    guard.lock();
  }
}

void FairLock::lock() {
  refuse();
  std::unique_lock guard(mutex_);
  ++writers_waiting_;
  try {
    wait(guard, [this] { return !writing_ && readers_ == 0; });
  } catch (...) {
    guard.lock();
    --writers_waiting_;
    changed_.notify_all();
    throw;
  }
  --writers_waiting_;
  writing_ = true;
}

void FairLock::unlock() {
  {
    const std::lock_guard guard(mutex_);
    writing_ = false;
  }
  changed_.notify_all();
}

void FairLock::lock_shared() {
  refuse();
  std::unique_lock guard(mutex_);
  wait(guard, [this] { return !writing_ && writers_waiting_ == 0; });
  ++readers_;
}

void FairLock::unlock_shared() {
  bool last;
  {
    const std::lock_guard guard(mutex_);
    last = --readers_ == 0;
  }
  if (last) changed_.notify_all();
}

}  // namespace ff
