#include "runtime/lock.hpp"

#include <sched.h>

#include <mutex>
#include <new>

#include "base/error.hpp"

namespace cow::runtime {

bool threads_multiple = false;

namespace {

std::mutex mutex;
std::atomic<int> waiting{0};
thread_local int depth = 0;

void take() {
  if (mutex.try_lock()) return;
  waiting.fetch_add(1, std::memory_order_relaxed);
  mutex.lock();
  waiting.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

void lock_slow() {
  if (depth++ == 0) take();
}

void unlock_slow() {
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
    take();
    depth = held;
  }
}

void let_others_in() {
  if (waiting.load(std::memory_order_relaxed) == 0) return;
  const int held = unlock_all();
  sched_yield();  // std::mutex is not fair: without this the thread that polls would take it again at once
  relock(held);
}

void forget_threads() {
  threads_multiple = false;
  waiting.store(0, std::memory_order_relaxed);
  if (depth == 0) new (&mutex) std::mutex;
}

}  // namespace cow::runtime
