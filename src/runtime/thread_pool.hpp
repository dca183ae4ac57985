// Threads of the library that run functions of the program which may take their time: callbacks and pop-up threads.
//
// A task runs without the progress lock. All signals are blocked in these threads, so that the program's handlers run in
// the program's own.
#pragma once

#include <cstddef>

namespace cow::runtime {

// Owned by who adds it; `run` may free it.
struct Task {
  Task* next = nullptr;
  void (*run)(Task&) = nullptr;
};

// Under the progress lock. By one of a few threads, which are kept; or by a thread of its own, which ends with it (the
// first of them wait while very many are alive).
void run_in_pool(Task& task);
void run_in_own_thread(Task& task);

// Under the progress lock: waits, making progress, until no task is left; then ends the threads.
void end_thread_pool();

// The most threads that were alive at once.
std::size_t most_threads();

// Starts a thread with all signals blocked. False: the system has none to give.
bool start_quiet_thread(void (*body)(void*), void* argument);

}  // namespace cow::runtime
