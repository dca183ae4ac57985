#include "runtime/thread_pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "base/list.hpp"
#include "base/settings.hpp"
#include "runtime/lock.hpp"
#include "runtime/progress.hpp"

namespace cow::runtime {
namespace {

constexpr std::size_t most_own_threads = 128;  // alive at once; what is beyond waits

// Its mutex is never held while the progress lock is taken.
class Crew {
 public:
  // Threads that are not kept end with their task.
  Crew(std::size_t limit, bool kept) : limit_(limit), kept_(kept) {}

  void add(Task& task) {
    std::unique_lock lock(mutex_);
    tasks_.push(task);
    ++unfinished_;
    if (idle_ > waking_) {
      ++waking_;
      lock.unlock();
      work_.notify_one();
    } else if (alive_ < limit_ && !start() && alive_ == 0) {
      tasks_.pop();  // the system has no thread to give, and nobody will come for it
      --unfinished_;
      lock.unlock();
      progress::call_program([&] { task.run(task); });
    }
  }

  bool empty() {
    const std::lock_guard lock(mutex_);
    return unfinished_ == 0;
  }

  void end() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    work_.notify_all();
    gone_.wait(lock, [&] { return alive_ == 0; });
    ending_ = false;
  }

  std::size_t most() const { return most_; }

 private:
  bool start() {
    if (!start_quiet_thread([](void* crew) { static_cast<Crew*>(crew)->serve(); }, this)) return false;
    most_ = std::max(most_, ++alive_);
    return true;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      while (tasks_.empty() && kept_ && !ending_) {
        ++idle_;
        work_.wait(lock);
        --idle_;
        if (waking_ > 0) --waking_;
      }
      if (tasks_.empty()) break;
      Task& task = tasks_.pop();
      lock.unlock();
      progress::call_program([&] { task.run(task); });
      lock_slow();
      progress::tell_waiters();  // one may wait for what the task has done, or for its end
      unlock_slow();
      lock.lock();
      --unfinished_;
      if (!kept_ && (tasks_.empty() || start())) break;
    }
    --alive_;
    gone_.notify_all();
  }

  const std::size_t limit_;
  const bool kept_;
  std::mutex mutex_;
  std::condition_variable work_, gone_;
  Queue<Task, &Task::next> tasks_;
  std::size_t unfinished_ = 0, alive_ = 0, idle_ = 0, waking_ = 0, most_ = 0;
  bool ending_ = false;
};

Crew& kept_threads() {
  static Crew& crew = *new Crew(static_cast<std::size_t>(std::max<std::int64_t>(1, settings().pool_threads)), true);
  return crew;
}

Crew& own_threads() {
  static Crew& crew = *new Crew(most_own_threads, false);
  return crew;
}

bool pool_used = false;

}  // namespace

void run_in_pool(Task& task) {
  pool_used = true;
  kept_threads().add(task);
}

void run_in_own_thread(Task& task) {
  pool_used = true;
  own_threads().add(task);
}

void end_thread_pool() {
  if (!pool_used) return;
  progress::wait_until([] { return kept_threads().empty() && own_threads().empty(); });
  const Released released;
  kept_threads().end();
  own_threads().end();
}

std::size_t most_threads() { return pool_used ? kept_threads().most() + own_threads().most() : 0; }

bool start_quiet_thread(void (*body)(void*), void* argument) {
  struct Start {
    void (*body)(void*);
    void* argument;
  };
  auto start = std::make_unique<Start>(Start{body, argument});
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  const int wrong = pthread_create(
      &thread, nullptr,
      [](void* given) -> void* {
        const std::unique_ptr<Start> own(static_cast<Start*>(given));
        own->body(own->argument);
        return nullptr;
      },
      start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (wrong != 0) return false;
  (void)start.release();
  pthread_detach(thread);
  return true;
}

}  // namespace cow::runtime
