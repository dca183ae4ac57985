// Progress: sources are polled, and who waits sleeps until one of them has work, its time has come, or somebody wakes it.
#include "runtime/progress.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "runtime/lock.hpp"

namespace cow::progress {
namespace {

// Registered as long as it lives.
class Worker : public Source {
 public:
  Worker() {
    poll = [](Source& self) { return static_cast<Worker&>(self).work(); };
    add(*this);
  }
  ~Worker() { remove(*this); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::function<std::size_t()> work = [] { return 0; };
};

// A worker that has something to do when its descriptor can be read.
class Reader : public Worker {
 public:
  Reader() {
    descriptors = [](Source& self, int* out) {
      *out = static_cast<Reader&>(self).event;
      return 1;
    };
    work = [this]() -> std::size_t {
      std::uint64_t value;
      if (::read(event, &value, sizeof value) != sizeof value) return 0;
      ++arrived;
      return 1;
    };
  }
  ~Reader() { close(event); }
  void send() const {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(event, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }

  const int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int arrived = 0;
};

// Sleeps for certain: a process without ranks beside it spins and yields for about a millisecond first.
constexpr Nanoseconds long_enough = 20 * millisecond;
constexpr Nanoseconds too_long = second;  // the longest sleep: what is not woken takes that long

TEST(Progress, PollsAllSourcesAndCountsWhatMoved) {
  Worker one, two;
  one.work = [] { return 2; };
  two.work = [] { return 3; };
  EXPECT_EQ(poll(), 5u);
}

TEST(Progress, ASourceMayLeaveWhileItIsPolled) {
  int polled = 0;
  Worker leaving, other;
  leaving.work = [&] {
    remove(leaving);
    return 1;
  };
  other.work = [&] {
    ++polled;
    return 0;
  };
  poll();
  poll();
  EXPECT_GE(polled, 1);
  leaving.work = [] { return 100; };
  EXPECT_EQ(poll(), 0u);
}

TEST(Progress, PollDoesNotPollAgainFromWithin) {
  Worker worker;
  worker.work = [] {
    EXPECT_TRUE(is_polling());
    return poll();
  };
  EXPECT_EQ(poll(), 0u);
  EXPECT_FALSE(is_polling());
}

struct Counted : Deferred {
  int runs = 0;
  bool again = false;
};

TEST(Progress, WhatIsDeferredRunsAfterThePassAndWhatThatDefersInTheNext) {
  Counted what;
  what.again = true;
  what.run = [](Deferred& self) {
    auto& counted = static_cast<Counted&>(self);
    EXPECT_TRUE(is_running_deferred());
    EXPECT_FALSE(is_polling());
    ++counted.runs;
    if (std::exchange(counted.again, false)) defer(counted);
  };
  Worker worker;
  worker.work = [&, first = true]() mutable -> std::size_t {
    if (std::exchange(first, false)) defer(what);
    EXPECT_FALSE(is_running_deferred());
    return 0;
  };
  EXPECT_EQ(poll(), 1u);
  EXPECT_EQ(what.runs, 1);
  EXPECT_EQ(poll(), 1u);
  EXPECT_EQ(what.runs, 2);
  EXPECT_EQ(poll(), 0u);
}

TEST(WaitUntil, PollsUntilItIsSo) {
  int left = 100;
  Worker worker;
  worker.work = [&] { return left-- > 0 ? 1 : 0; };
  wait_until([&] { return left <= 0; });
  EXPECT_EQ(left, 0);
}

TEST(WaitUntil, AsksBeforeItPolls) {
  Worker worker;
  worker.work = []() -> std::size_t {
    ADD_FAILURE() << "polled";
    return 0;
  };
  wait_until([] { return true; });
}

TEST(WaitUntil, SleepsUntilADescriptorCanBeRead) {
  Reader reader;
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
    reader.send();
  });
  const Nanoseconds start = now();
  wait_until([&] { return reader.arrived > 0; });
  EXPECT_LT(now() - start, too_long);
  sender.join();
}

TEST(WaitUntil, SleepsNoLongerThanTheNextDeadline) {
  Reader silent;
  Worker timed;
  bool done = false;
  const Nanoseconds start = now();
  timed.deadline = start + long_enough;
  timed.work = [&]() -> std::size_t {
    if (done || now() < timed.deadline) return 0;
    done = true;
    timed.deadline = Source::no_deadline;
    return 1;
  };
  wait_until([&] { return done; });
  EXPECT_GE(now() - start, long_enough);
  EXPECT_LT(now() - start, too_long);
}

TEST(WaitUntil, WakeEndsTheSleep) {
  Reader silent;
  std::atomic<bool> done{false};
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
    done = true;
    wake();
  });
  const Nanoseconds start = now();
  wait_until([&] { return done.load(); });
  EXPECT_LT(now() - start, too_long);
  other.join();
}

TEST(WaitUntil, ASourceThatMustNotSleepIsPolledInstead) {
  Reader silent;
  Worker busy;
  int asked = 0, awake_again = 0, polls = 0;
  struct Counts {
    int* asked;
    int* awake_again;
  };
  static Counts counts;
  counts = {&asked, &awake_again};
  busy.may_sleep = [](Source&) { return ++*counts.asked > 3; };
  busy.awake = [](Source&) { ++*counts.awake_again; };
  busy.work = [&]() -> std::size_t {
    ++polls;
    return 0;
  };
  // Once asleep it stays so for a second, unless somebody wakes it.
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
      wake();
    }
  });
  wait_until([&] { return asked > 3 && awake_again == asked; });
  done = true;
  EXPECT_EQ(asked, 4);
  other.join();
}

// What sleeps by itself, with no descriptor anywhere: a semaphore of two bits.
class OwnSleeper : public Worker {
 public:
  OwnSleeper() {
    sleep = [](Source& self, Nanoseconds) {
      auto& own = static_cast<OwnSleeper&>(self);
      ++own.sleeps;
      own.interrupted.wait(false);
    };
    interrupt = [](Source& self) {
      auto& own = static_cast<OwnSleeper&>(self);
      own.interrupted = true;
      own.interrupted.notify_all();
    };
    may_sleep = [](Source& self) {
      static_cast<OwnSleeper&>(self).interrupted = false;
      return true;
    };
  }
  std::atomic<bool> interrupted{false};
  std::atomic<int> sleeps{0};
};

TEST(WaitUntil, ASleepOfItsOwnIsInterruptedByWake) {
  OwnSleeper own;
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (own.sleeps == 0) std::this_thread::yield();
    done = true;
    wake();
  });
  wait_until([&] { return done.load(); });
  EXPECT_GE(own.sleeps, 1);
  other.join();
}

TEST(WaitUntil, ASleepOfItsOwnIsNotUsedBesideDescriptors) {
  OwnSleeper own;
  Reader reader;
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
    reader.send();
  });
  wait_until([&] { return reader.arrived > 0; });
  EXPECT_EQ(own.sleeps, 0);
  sender.join();
}

TEST(WaitUntil, TellsTheTimeAtWhichItFirstWaits) {
  Nanoseconds waited = 0;
  const Nanoseconds start = now();
  next_wait = &waited;
  wait_until([] { return true; });
  EXPECT_GE(waited, start);
  EXPECT_EQ(next_wait, nullptr);
}

Nanoseconds told = 0;

TEST(WaitUntil, ALongWaitIsTold) {
  told = -1;
  Reader reader;
  long_wait = [](Nanoseconds idle) {
    told = idle;
    long_wait_limit = Source::no_deadline;
  };
  long_wait_limit = 0;
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
    reader.send();
  });
  wait_until([&] { return reader.arrived > 0; });
  EXPECT_EQ(long_wait_limit, Source::no_deadline);
  EXPECT_GE(told, 0);
  sender.join();
  long_wait = nullptr;
}

TEST(ProgressThread, PollsWhileTheProgramDoesSomethingElse) {
  Reader reader;
  ASSERT_TRUE(start_thread());
  EXPECT_TRUE(has_thread());
  reader.send();
  const Nanoseconds end = now() + 10 * second;
  bool seen = false;
  while (!seen && now() < end) {
    const runtime::Guard guard;
    seen = reader.arrived > 0;
  }
  EXPECT_TRUE(seen);
  stop_thread();
  EXPECT_FALSE(has_thread());
}

TEST(ProgressThread, TwoThreadsMayWaitForDifferentThings) {
  runtime::threads_multiple = true;
  Reader one, two;
  const auto wait_for = [](const Reader& reader) {
    const runtime::Guard guard;
    wait_until([&] { return reader.arrived > 0; });
  };
  std::thread first(wait_for, std::cref(one)), second_one(wait_for, std::cref(two));
  std::this_thread::sleep_for(std::chrono::nanoseconds(long_enough));
  one.send();
  first.join();
  two.send();
  second_one.join();
  runtime::threads_multiple = false;
}

}  // namespace
}  // namespace cow::progress
