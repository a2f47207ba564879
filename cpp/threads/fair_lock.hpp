// A lock for many readers or one writer, in which a waiting writer goes next.
#pragma once

#include <condition_variable>
#include <mutex>

namespace ff {

// std::shared_mutex lets readers that overlap keep a writer out for ever (glibc), and cannot be
// left on Ctrl-C. Use through std::unique_lock and std::shared_lock; both may throw what
// check_interrupt() throws, and then do not hold the lock. Not recursive, not even for readers.
//
// A forked child has none of the threads that held the lock when it was forked, so there it is
// free. If one was writing, what the lock guards may be torn: then it throws std::runtime_error.
class FairLock {
 public:
  // tears: whether what it guards is in pieces while it is held for writing.
  explicit FairLock(bool tears = true);
  ~FairLock();
  FairLock(const FairLock&) = delete;
  FairLock& operator=(const FairLock&) = delete;

  void lock();
  void unlock();
  void lock_shared();
  void unlock_shared();

 private:
  friend struct LivingLocks;
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& guard, const Ready& ready);
  void refuse() const;
  void forget_threads();

  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned readers_ = 0;
  unsigned writers_waiting_ = 0;
  bool writing_ = false;
  bool tears_;
  bool torn_ = false;
};

}  // namespace ff
