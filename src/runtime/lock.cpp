#include "runtime/lock.hpp"

#include <pthread.h>
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
thread_local int cancel_state = PTHREAD_CANCEL_ENABLE;  // of this thread before it took the lock

void take() {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  if (mutex.try_lock()) return;
  waiting.fetch_add(1, std::memory_order_relaxed);
  mutex.lock();
  waiting.fetch_sub(1, std::memory_order_relaxed);
}

void give() {
  mutex.unlock();
  pthread_setcancelstate(cancel_state, nullptr);
}

}  // namespace

void lock_slow() {
  if (depth++ == 0) take();
}

void unlock_slow() {
  if (--depth == 0) give();
}

int unlock_all() {
  const int held = depth;
  if (held > 0) {
    depth = 0;
    give();
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
  const Released released;
  sched_yield();  // std::mutex is not fair: without this the thread that polls would take it again at once
}

NotCancelled::NotCancelled() : before_locking_(cancel_state) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  cancel_state = PTHREAD_CANCEL_DISABLE;
}

NotCancelled::~NotCancelled() {
  cancel_state = before_locking_;
  pthread_setcancelstate(before_, nullptr);
}

void forget_threads() {
  threads_multiple = false;
  waiting.store(0, std::memory_order_relaxed);
  if (depth == 0) new (&mutex) std::mutex;
}

}  // namespace cow::runtime
