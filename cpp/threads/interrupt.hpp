// How a long call ends early: Ctrl-C, or a failure on another of its threads.
#pragma once

#include <atomic>
#include <functional>

namespace ff {

// What check_interrupt() asks now and then; what it throws ends the call. The bindings set it to
// Python's signal check. Not thread-safe: set it once.
void set_interrupt_check(std::function<void()> check);

// Long loops call this at least every few milliseconds; it is cheap. Throws what the interrupt
// check throws, on the thread that made the call, or Cancelled on a thread whose job has failed.
void check_interrupt();

// Ends the work of a thread; never seen by callers, who get the first failure.
struct Cancelled {};

// While one lives, the thread works for a job: `failed` tells it to stop. Scopes nest.
class InterruptScope {
 public:
  // asks: whether the thread may ask the interrupt check; a thread that works for others may not.
  InterruptScope(const std::atomic<bool>& failed, bool asks);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  friend void check_interrupt();
  const std::atomic<bool>& failed_;
  const InterruptScope* outer_;
  bool asks_;
};

// Throws std::logic_error inside the interrupt check: a signal handler that searches would run in
// the middle of the search it interrupts, on its buffers and under its lock.
void refuse_in_interrupt_check();

}  // namespace ff
