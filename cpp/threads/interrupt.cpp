#include "threads/interrupt.hpp"

#include <chrono>
#include <stdexcept>

namespace ff {
namespace {

// Asking takes Python's lock, for which a busy interpreter lets us wait 5 ms.
constexpr auto kPeriod = std::chrono::milliseconds(50);

std::function<void()> interrupt_check;
thread_local const InterruptScope* scope = nullptr;
thread_local bool checking = false;
thread_local std::chrono::steady_clock::time_point last_check;

struct Checking {
  Checking() { checking = true; }
  ~Checking() { checking = false; }
};

}  // namespace

void set_interrupt_check(std::function<void()> check) { interrupt_check = std::move(check); }

void check_interrupt() {
  for (const InterruptScope* s = scope; s != nullptr; s = s->outer_)
    if (s->failed_.load(std::memory_order_relaxed)) throw Cancelled{};
  if (!interrupt_check || checking || (scope != nullptr && !scope->asks_)) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_check < kPeriod) return;
  last_check = now;
  const Checking guard;
  interrupt_check();
}

void refuse_in_interrupt_check() {
  if (checking)
    throw std::logic_error(
        "a signal handler that interrupts a search must not use fastfunnel itself");
}

InterruptScope::InterruptScope(const std::atomic<bool>& failed, bool asks)
    : failed_(failed), outer_(scope), asks_(asks && (scope == nullptr || scope->asks_)) {
  scope = this;
}

InterruptScope::~InterruptScope() { scope = outer_; }

}  // namespace ff
