#include "runtime/lock.hpp"

#include <mutex>

#include "base/error.hpp"

namespace cow::runtime {

bool threads_multiple = false;

namespace {

std::mutex mutex;
thread_local int depth = 0;

}  // namespace

void lock_slow() {
  if (depth++ == 0) mutex.lock();
}

void unlock_slow() {
  // The level may have been raised between the two ends of MPI_Init_thread's own guard.
  if (depth == 0) return;
  if (--depth == 0) mutex.unlock();
}

int unlock_all() {
  const int held = depth;
  if (held > 0) {
    depth = 0;
    mutex.unlock();
  }
  return held;
}

void relock(int held) {
  if (held > 0) {
    mutex.lock();
    depth = held;
  }
}

}  // namespace cow::runtime
