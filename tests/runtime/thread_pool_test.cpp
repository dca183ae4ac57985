// Tasks run in threads of the library: without the progress lock, with signals blocked, and all before the end.
#include "runtime/thread_pool.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/settings.hpp"
#include "runtime/lock.hpp"

namespace cow::runtime {
namespace {

struct Job : Task {
  explicit Job(std::function<void()> given) : body(std::move(given)) {
    run = [](Task& self) { static_cast<Job&>(self).body(); };
  }
  std::function<void()> body;
};

// Adds tasks as the library does: under the progress lock, at the level of threads that needs it.
class ThreadPool : public testing::Test {
 protected:
  void SetUp() override { threads_multiple = true; }
  void TearDown() override { threads_multiple = false; }

  void add(void (*how)(Task&), std::function<void()> body) {
    jobs_.push_back(std::make_unique<Job>(std::move(body)));
    const Guard guard;
    how(*jobs_.back());
  }
  static void end() {
    const Guard guard;
    end_thread_pool();
  }

 private:
  std::vector<std::unique_ptr<Job>> jobs_;
};

TEST_F(ThreadPool, RunsEveryTaskBeforeItEnds) {
  std::atomic<int> done{0};
  for (int i = 0; i < 200; ++i) add(i % 2 ? run_in_pool : run_in_own_thread, [&] { ++done; });
  end();
  EXPECT_EQ(done, 200);
}

TEST_F(ThreadPool, MayBeUsedAgainAfterItsEnd) {
  std::atomic<int> done{0};
  add(run_in_pool, [&] { ++done; });
  end();
  add(run_in_pool, [&] { ++done; });
  end();
  EXPECT_EQ(done, 2);
}

TEST_F(ThreadPool, TasksRunElsewhereWithoutTheLockAndWithSignalsBlocked) {
  std::atomic<bool> elsewhere{false}, blocked{false};
  const std::thread::id here = std::this_thread::get_id();
  add(run_in_pool, [&] {
    elsewhere = std::this_thread::get_id() != here;
    const Guard guard;  // would wait for ever if the lock were held for the task by another thread
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGUSR1) == 1;
  });
  end();
  EXPECT_TRUE(elsewhere);
  EXPECT_TRUE(blocked);
}

TEST_F(ThreadPool, NoMoreThreadsAreKeptThanTheSettingSays) {
  std::atomic<int> now_running{0}, most{0};
  for (int i = 0; i < 100; ++i)
    add(run_in_pool, [&] {
      const int mine = ++now_running;
      int seen = most;
      while (seen < mine && !most.compare_exchange_weak(seen, mine)) {
      }
      std::this_thread::yield();
      --now_running;
    });
  end();
  EXPECT_LE(most, settings().pool_threads);
  EXPECT_GE(most_threads(), 1u);
}

TEST_F(ThreadPool, ATaskOfItsOwnThreadNeedsNoOtherToEnd) {  // each waits for all: they must run at once
  constexpr int count = 20;
  std::atomic<int> there{0};
  for (int i = 0; i < count; ++i)
    add(run_in_own_thread, [&] {
      ++there;
      while (there < count) std::this_thread::yield();
    });
  end();
  EXPECT_EQ(there, count);
}

TEST_F(ThreadPool, ATaskMayAddAnother) {
  std::atomic<int> done{0};
  Job second([&] { ++done; });
  add(run_in_pool, [&] {
    const Guard guard;
    run_in_pool(second);
    ++done;
  });
  end();
  EXPECT_EQ(done, 2);
}

TEST(QuietThread, RunsTheBodyWithItsArgument) {
  std::atomic<int> value{0};
  ASSERT_TRUE(start_quiet_thread([](void* argument) { *static_cast<std::atomic<int>*>(argument) = 7; }, &value));
  while (value == 0) std::this_thread::yield();
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace cow::runtime
