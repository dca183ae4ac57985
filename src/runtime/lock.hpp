// The progress lock: one for the process, held by every call that touches the library's state when the level of thread
// support is MPI_THREAD_MULTIPLE, and by nobody otherwise (one flag is read). It may be taken again by the thread that
// holds it, since callbacks of the program (operations, attributes, error handlers) run under it and may call MPI.
//
// A thread that holds it cannot be cancelled (pthread_cancel): what it is about to do, and what libraries below it are, is
// whole only when it has let go. So a thread of the program is cancelled where it waits, see progress.hpp.
#pragma once

#include <atomic>
#include <cstdint>

namespace cow::runtime {

// Set once, in MPI_Init_thread, before other threads may call.
extern bool threads_multiple;

void lock_slow();
void unlock_slow();

// Gives the lock up wholly, whatever its depth, and takes it back; for a thread that waits. unlock_all returns the
// depth that relock needs.
int unlock_all();
void relock(int depth);

// The lock is given up as long as this lives: for a thread that waits, or calls a function of the program.
class Released {
 public:
  Released() : depth_(unlock_all()) {}
  ~Released() { relock(depth_); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  const int depth_;
};

// As long as this lives the thread is not cancelled, whatever it waits for.
class NotCancelled {
 public:
  NotCancelled();
  ~NotCancelled();
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;

 private:
  int before_;          // of the thread
  int before_locking_;  // of the lock that it holds
};

// Lets a thread that waits for the lock have it, if there is one.
void let_others_in();

// In a process that has just been forked: the threads that may have held the lock are not in it, nor will others be.
void forget_threads();

class Guard {
 public:
  Guard() : held_(threads_multiple) {
    if (held_) lock_slow();
  }
  ~Guard() {
    if (held_) unlock_slow();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  const bool held_;  // the level changes within MPI_Init_thread and MPI_Finalize
};

// For calls that the standard allows in any thread at any level, before the start too.
class AlwaysGuard {
 public:
  AlwaysGuard() { lock_slow(); }
  ~AlwaysGuard() { unlock_slow(); }
  AlwaysGuard(const AlwaysGuard&) = delete;
  AlwaysGuard& operator=(const AlwaysGuard&) = delete;
};

}  // namespace cow::runtime
