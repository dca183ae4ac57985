// mpirun at a terminal: rank 0 can be talked to, and what is typed ahead for the shell stays there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace cow::test {
namespace {

using testing::HasSubstr;

class Terminal : public testing::Test {
 protected:
  // A shell command with a terminal of its own.
  void start(const char* command) {
    pid_ = forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      execl("/bin/bash", "bash", "--norc", "-c", command, nullptr);
      _exit(127);
    }
  }
  void type(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool shows(const std::string& text, int seconds = 30) {
    for (int i = 0; i < seconds * 100; ++i) {
      if (screen_.find(text) != std::string::npos) return true;
      pollfd polled{master_, POLLIN, 0};
      char buffer[4096];
      if (poll(&polled, 1, 10) == 1) {
        const ssize_t got = read(master_, buffer, sizeof buffer);
        if (got <= 0) break;
        screen_.append(buffer, static_cast<std::size_t>(got));
      }
    }
    return screen_.find(text) != std::string::npos;
  }
  int end() {
    int status = -1;
    for (int i = 0; i < 3000; ++i) {
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      shows("\x01never\x01", 0);
      usleep(10'000);
    }
    return -1;
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (master_ >= 0) close(master_);
  }

  pid_t pid_ = -1;
  int master_ = -1;
  std::string screen_;
};

TEST_F(Terminal, RankZeroCanBeTalkedTo) {
  start(MPIRUN " -n 2 sh -c 'printf \"name? \"; read name; echo \"hello, $name\"'");
  ASSERT_TRUE(shows("name? ")) << screen_;  // a prompt has no newline
  type("reader\n");
  EXPECT_TRUE(shows("hello, reader")) << screen_;
  EXPECT_EQ(end(), 0) << screen_;
}

TEST_F(Terminal, APollingProgramIsSeenToWait) {
  start(MPIRUN
        " -n 1 python3 -c 'import select, sys; print(\"go\", flush=True); select.select([0], [], []); "
        "print(\"got \" + sys.stdin.readline())'");
  ASSERT_TRUE(shows("go"));
  type("this\n");
  EXPECT_TRUE(shows("got this")) << screen_;
}

TEST_F(Terminal, TheEndOfInputReachesRankZero) {
  start(MPIRUN " -n 1 wc -l");
  type("a\nb\n");
  usleep(300'000);
  type("\x04");
  EXPECT_TRUE(shows("2\r\n")) << screen_;
  EXPECT_EQ(end(), 0);
}

TEST_F(Terminal, WhatIsTypedAheadStaysForTheShell) {
  start("stty -echo; " MPIRUN " -n 2 sh -c 'echo started; sleep 0.5'; read line; echo \"the shell got $line\"");
  ASSERT_TRUE(shows("started"));
  type("next command\n");
  EXPECT_TRUE(shows("the shell got next command")) << screen_;
}

TEST_F(Terminal, InterruptReachesTheRanks) {
  start("trap : INT; " MPIRUN
        " -n 2 sh -c 'trap \"echo interrupted; exit 5\" INT; echo ready $PMIX_RANK; "
        "while :; do sleep 0.05; done'; echo shell: status $?");
  ASSERT_TRUE(shows("ready 0"));
  ASSERT_TRUE(shows("ready 1"));
  type("\x03");
  EXPECT_TRUE(shows("shell: status 5")) << screen_;
  EXPECT_THAT(screen_, HasSubstr("interrupted"));
  EXPECT_LT(screen_.find("interrupted"), screen_.find("ended with status 5"))
      << "the last words of the rank come first";
}

TEST_F(Terminal, StopAndContinue) {
  start("set -m; " MPIRUN
        " -n 2 sh -c 'trap \"exit 0\" CONT; while :; do echo tick $PMIX_RANK; sleep 0.05; done'; "
        "echo stopped; sleep 0.3; echo quiet; fg >/dev/null; echo shell: status $?");
  ASSERT_TRUE(shows("tick 0"));
  ASSERT_TRUE(shows("tick 1"));  // both have set their traps
  type("\x1a");
  ASSERT_TRUE(shows("quiet")) << screen_;
  const std::string between = screen_.substr(screen_.find("stopped"), screen_.find("quiet") - screen_.find("stopped"));
  EXPECT_LT(std::count(between.begin(), between.end(), 't'), 5 + 1) << screen_;  // one of them in "stopped"
  EXPECT_TRUE(shows("shell: status 0")) << screen_;
}

}  // namespace
}  // namespace cow::test
