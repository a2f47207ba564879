// Our own threads: no OpenMP, whose runtimes clash inside one Python process.
#pragma once

#include <cstddef>
#include <functional>

namespace ff {

// Cores this process may run on (its affinity mask where the system has one).
unsigned available_cores();

// Runs task(0) … task(n_tasks - 1), each once, in any order, on at most n_threads threads; the
// caller is one of them. Returns when all have ended. The first exception of a task is rethrown to
// the caller; then, as when an interrupt ends the call (threads/interrupt.hpp), tasks not yet begun
// are skipped and running ones end at their next check_interrupt(). Calls may nest or come from
// several threads: a call that finds the pool busy runs on its own thread. Threads start at the
// first parallel call, and again in a child after fork().
void parallel_for(std::size_t n_tasks, unsigned n_threads,
                  const std::function<void(std::size_t task)>& task);

}  // namespace ff
