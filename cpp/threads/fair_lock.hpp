// A lock for many readers or one writer, in which a waiting writer goes next.
#pragma once

#include <condition_variable>
#include <mutex>

namespace ff {

// std::shared_mutex lets readers that overlap keep a writer out for ever (glibc), and cannot be
// left on Ctrl-C. Use through std::unique_lock and std::shared_lock; both may throw what
// check_interrupt() throws, and then do not hold the lock. Not recursive, not even for readers.
class FairLock {
 public:
  void lock();
  void unlock();
  void lock_shared();
  void unlock_shared();

 private:
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& guard, const Ready& ready);

  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned readers_ = 0;
  unsigned writers_waiting_ = 0;
  bool writing_ = false;
};

}  // namespace ff
