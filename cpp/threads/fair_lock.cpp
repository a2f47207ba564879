#include "threads/fair_lock.hpp"

#include <chrono>

#include "threads/interrupt.hpp"

namespace ff {
namespace {

constexpr auto kAskPeriod = std::chrono::milliseconds(50);

}  // namespace

template <class Ready>
void FairLock::wait(std::unique_lock<std::mutex>& guard, const Ready& ready) {
  while (!changed_.wait_for(guard, kAskPeriod, ready)) {
    guard.unlock();  // Python may run anything in a check
    check_interrupt();
    guard.lock();
  }
}

void FairLock::lock() {
  refuse_in_interrupt_check();
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
  refuse_in_interrupt_check();
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
