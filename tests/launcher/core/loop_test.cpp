// The loop: descriptors that come, go and are used again, files that epoll refuses, timers and signals.
#include "launcher/core/loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <vector>

namespace cow::launch {
namespace {

class LoopTest : public testing::Test {
 protected:
  struct Pipe {
    Pipe() { EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }
    ~Pipe() {
      close_reader();
      if (ends[1] >= 0) close(ends[1]);
    }
    void close_reader() {
      if (ends[0] >= 0) close(ends[0]);
      ends[0] = -1;
    }
    int reader() const { return ends[0]; }
    void fill() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }
    int ends[2];
  };

  // The loop until nothing more is to be expected.
  void run() {
    loop_.after(20ms, [this] { loop_.stop(); });
    loop_.run();
  }

  // A watch that counts its calls and takes one byte with each.
  void count(int fd, int& calls) {
    loop_.watch(fd, POLLIN, [fd, &calls](short) {
      char byte;
      ++calls;
      (void)!read(fd, &byte, 1);
    });
  }

  Loop loop_;
};

TEST_F(LoopTest, CallsWhileSomethingIsThere) {
  Pipe pipe;
  int calls = 0;
  count(pipe.reader(), calls);
  run();
  EXPECT_EQ(calls, 0);
  pipe.fill();
  pipe.fill();
  run();
  EXPECT_EQ(calls, 2);
}

TEST_F(LoopTest, AWatchMayForgetItselfAndOthers) {
  Pipe one, other;
  int calls = 0;
  for (const Pipe* pipe : {&one, &other}) {
    pipe->fill();
    loop_.watch(pipe->reader(), POLLIN, [&](short) {
      ++calls;
      loop_.forget(one.reader());
      loop_.forget(other.reader());
    });
  }
  run();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(loop_.watches(one.reader()));
}

// The number goes to another file while an event of the first is on its way.
TEST_F(LoopTest, EventsOfAClosedDescriptorAreNotThoseOfTheNext) {
  Pipe one, other, empty;
  int calls = 0, of_empty = 0;
  for (Pipe* pipe : {&one, &other}) {
    Pipe* victim = pipe == &one ? &other : &one;
    pipe->fill();
    loop_.watch(pipe->reader(), POLLIN, [&, pipe, victim](short) {
      ++calls;
      loop_.forget(pipe->reader());
      loop_.forget(victim->reader());
      ASSERT_EQ(dup2(empty.reader(), victim->reader()), victim->reader());
      count(victim->reader(), of_empty);
    });
  }
  run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(of_empty, 0);
  empty.fill();
  run();
  EXPECT_EQ(of_empty, 1);
}

TEST_F(LoopTest, ANumberThatIsUsedAgainIsWatchedAgain) {
  int calls = 0, fd = -1;
  for (int round = 0; round < 3; ++round) {
    Pipe pipe;
    EXPECT_TRUE(round == 0 || pipe.reader() == fd);
    fd = pipe.reader();
    count(fd, calls);  // nobody has forgotten the one before
    pipe.fill();
    run();
    EXPECT_EQ(calls, round + 1);
  }
}

// epoll knows files, not numbers: one that lives on elsewhere goes on telling.
TEST_F(LoopTest, AFileThatLivesOnUnderAnotherNumberDoesNoHarm) {
  Pipe pipe;
  int calls = 0, others = 0;
  count(pipe.reader(), calls);
  const int fd = pipe.reader(), kept = dup(fd);
  pipe.fill();
  pipe.close_reader();
  loop_.forget(fd);  // too late
  Pipe other;
  count(other.reader(), others);
  other.fill();
  const Instant before = Clock::now();
  const std::clock_t start = std::clock();
  loop_.after(200ms, [this] { loop_.stop(); });
  loop_.run();
  const std::clock_t used = std::clock() - start;
  EXPECT_EQ(others, 1);
  EXPECT_EQ(calls, 0);
  EXPECT_GE(Clock::now() - before, 200ms);
  EXPECT_LT(used, CLOCKS_PER_SEC / 20);  // it slept
  close(kept);
}

TEST_F(LoopTest, WhatEpollRefusesIsAlwaysReady) {
  char name[] = "/tmp/loop_test.XXXXXX";
  const int file = mkstemp(name);
  ASSERT_GE(file, 0);
  unlink(name);
  ASSERT_EQ(pwrite(file, "abc", 3, 0), 3);
  Pipe pipe;
  pipe.fill();
  std::string got;
  int calls = 0;
  count(pipe.reader(), calls);
  loop_.watch(file, POLLIN, [&](short events) {
    EXPECT_EQ(events, POLLIN);
    char byte;
    if (read(file, &byte, 1) == 1) {
      got += byte;
    } else {
      loop_.forget(file);
    }
    if (got == "ab") loop_.set_events(file, 0);
  });
  run();
  EXPECT_EQ(got, "ab");
  EXPECT_EQ(calls, 1);  // others are not held up
  loop_.set_events(file, POLLIN);
  run();
  EXPECT_EQ(got, "abc");
  EXPECT_FALSE(loop_.watches(file));
  close(file);
}

TEST_F(LoopTest, WhatIsNoDescriptorIsTold) {
  Pipe pipe;
  const int fd = pipe.reader();
  pipe.close_reader();
  short told = 0;
  loop_.watch(fd, POLLIN, [&](short events) {
    told = events;
    loop_.forget(fd);
  });
  run();
  EXPECT_EQ(told, POLLNVAL);
}

TEST_F(LoopTest, HangUpsAreToldOnlyWhileSomethingIsWanted) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  int calls = 0;
  loop_.watch(ends[0], 0, [&](short events) {
    ++calls;
    EXPECT_TRUE(events & POLLHUP);
    loop_.set_events(ends[0], 0);
  });
  close(ends[1]);
  run();
  EXPECT_EQ(calls, 0);
  loop_.set_events(ends[0], POLLIN);
  run();
  EXPECT_EQ(calls, 1);
  close(ends[0]);
}

TEST_F(LoopTest, TimersComeInOrderAndCanBeCancelled) {
  std::vector<int> order;
  loop_.after(4ms, [&] { order.push_back(2); });
  loop_.after(1ms, [&] { order.push_back(1); });
  const std::uint64_t cancelled = loop_.after(2ms, [&] { order.push_back(3); });
  loop_.cancel(cancelled);
  run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(LoopTest, SignalsAreDescriptors) {
  sigset_t before;
  const int signals = open_signals({SIGUSR1}, &before);
  int heard = 0;
  loop_.watch(signals, POLLIN, [&](short) {
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) heard = static_cast<int>(info.ssi_signo);
  });
  raise(SIGUSR1);
  run();
  EXPECT_EQ(heard, SIGUSR1);
  loop_.forget(signals);
  close(signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace cow::launch
