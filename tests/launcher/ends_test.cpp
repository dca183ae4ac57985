// How a job ends, and what mpirun then says: the status of the first failure, in one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Ends, WellAndSilently) {
  const Finished job = mpirun({"-n", "4", CLIENT, "exchange"});
  EXPECT_EQ(job.status, 0);
  EXPECT_EQ(job.err, "");
  EXPECT_EQ(lines(job.out).size(), 4u);
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Ends, AFenceWithDataGivesAllToAll) {
  const Finished job = mpirun({"-n", "5", CLIENT, "fence"});
  EXPECT_EQ(job.status, 0) << job.err;
}

TEST(Ends, TheLimitOfAQuestionIsKept) {
  const Finished job = mpirun({"-n", "2", CLIENT, "ask-slow"});
  EXPECT_EQ(job.status, 0) << job.err;
}

TEST(Ends, AJobOfOne) { EXPECT_EQ(mpirun({"-n", "1", CLIENT}).status, 0); }

TEST(Ends, WithTheStatusOfTheRankThatFailed) {
  for (int status : {1, 3, 77, 255}) {
    const std::string text = std::to_string(status);
    const Finished job = mpirun({"-n", "3", "sh", "-c", "[ $PMIX_RANK = 1 ] && exit " + text + "; sleep 60"});
    EXPECT_EQ(job.status, status);
    EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
    EXPECT_THAT(job.err, ContainsRegex("^mpirun: rank 1 \\(pid [0-9]+ on host .+\\) ended with status " + text));
    EXPECT_THAT(job.left, IsEmpty());
  }
}

TEST(Ends, AfterTheLastWordsOfTheRankThatFailed) {
  for (int round = 0; round < 5; ++round) {
    JobRun job({"/bin/sh", "-c", MPIRUN " -n 2 sh -c 'seq 1 3000; printf \"last words\"; exit 3' 2>&1"});
    job.finish();
    const std::size_t cause = job.out.find("mpirun: rank");
    ASSERT_NE(cause, std::string::npos) << job.out.substr(0, 300);
    EXPECT_NE(job.out.substr(0, cause).find("last words"), std::string::npos) << "round " << round;
  }
}

TEST(Ends, With128AndTheSignalThatKilledARank) {
  for (int signal : {SIGKILL, SIGSEGV, SIGABRT, SIGTERM, SIGFPE}) {
    const std::string text = std::to_string(signal);
    const Finished job = mpirun({"-n", "3", "sh", "-c", "[ $PMIX_RANK = 2 ] && kill -" + text + " $$; sleep 60"});
    EXPECT_EQ(job.status, 128 + signal);
    EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
    EXPECT_THAT(job.err, AllOf(HasSubstr("rank 2"), HasSubstr("killed by signal " + text + " (")));
    EXPECT_THAT(job.left, IsEmpty());
  }
}

TEST(Ends, WithTheCodeOfAnAbortAndNeverWithZero) {
  const Finished job = mpirun({"-n", "3", CLIENT, "abort", "42"});
  EXPECT_EQ(job.status, 42);
  EXPECT_THAT(job.err, AllOf(HasSubstr("rank 1"), HasSubstr("MPI_Abort with 42"), HasSubstr("as the test asked")));
  EXPECT_EQ(mpirun({"-n", "2", CLIENT, "abort", "0"}).status, 1);
  EXPECT_EQ(mpirun({"-n", "2", CLIENT, "abort", "256"}).status, 1);
  EXPECT_EQ(mpirun({"-n", "2", CLIENT, "abort", "257"}).status, 1);
}

TEST(Ends, ARankThatLeavesMpiWithoutFinalizeIsAFailure) {
  const Finished zero = mpirun({"-n", "3", CLIENT, "leave", "0"});
  EXPECT_EQ(zero.status, 1);
  EXPECT_THAT(zero.err, AllOf(HasSubstr("rank 1"), HasSubstr("without MPI_Finalize")));
  EXPECT_EQ(mpirun({"-n", "3", CLIENT, "leave", "5"}).status, 5);
}

TEST(Ends, ARankThatNeverEntersMpiWhileOthersDoIsAFailure) {
  const Finished job = mpirun({"-n", "2", "sh", "-c", "[ $PMIX_RANK = 1 ] && exit 0; exec " CLIENT " wait"});
  EXPECT_EQ(job.status, 1);
  EXPECT_THAT(job.err, AllOf(HasSubstr("rank 1"), HasSubstr("without calling MPI_Init")));
}

TEST(Ends, ProgramsThatKnowNoMpiRunAsWell) {
  const Finished job = mpirun({"-n", "8", "true"});
  EXPECT_EQ(job.status, 0);
  EXPECT_EQ(job.err, "");
}

TEST(Ends, TheOthersMayCleanUpAfterSigterm) {
  // Rank 1 fails when rank 0 is ready for SIGTERM.
  const std::string ready = testing::TempDir() + "ready." + std::to_string(getpid());
  const Finished job = mpirun({"-n", "2", "--grace", "20s", "sh", "-c",
                               "if [ $PMIX_RANK = 1 ]; then until [ -e $0 ]; do sleep 0.02; done; exit 3; fi; "
                               "trap 'echo cleaned up; exit 0' TERM; >$0; while :; do sleep 0.05; done",
                               ready});
  unlink(ready.c_str());
  EXPECT_EQ(job.status, 3);
  EXPECT_EQ(job.out, "cleaned up\n");
}

TEST(Ends, WhoIgnoresSigtermIsKilledAfterTheGracePeriod) {
  const Finished job = mpirun({"-n", "2", "--grace", "100ms", "sh", "-c",
                               "trap '' TERM; [ $PMIX_RANK = 1 ] && sleep 0.2 && exit 3; while :; do sleep 0.1; done"});
  EXPECT_EQ(job.status, 3);
  EXPECT_THAT(job.left, IsEmpty());
}

// The rank's own process has ended before the program begins; its end is that of the program.
TEST(Ends, ARankLivesAsLongAsWhatItHasStartedTakesPart) {
  const Finished good = mpirun({"-n", "3", "setsid", CLIENT, "exchange"});
  EXPECT_EQ(good.status, 0) << good.err;
  const Finished bad = mpirun({"-n", "2", "setsid", CLIENT, "leave", "3"});
  EXPECT_EQ(bad.status, 3) << bad.err;
  EXPECT_THAT(bad.err, HasSubstr("rank 1 "));
  EXPECT_THAT(good.left, IsEmpty());
  EXPECT_THAT(bad.left, IsEmpty());
  const Finished slow = mpirun({"-n", "2", "sh", "-c", "(sleep 0.2; exec \"$0\" exchange) &", CLIENT});
  EXPECT_EQ(slow.status, 0) << slow.err;
  EXPECT_THAT(slow.left, IsEmpty());
}

TEST(Ends, ADaemonOfARankGoesWithTheJob) {
  const Finished job =
      mpirun({"-n", "2", "sh", "-c", "setsid sleep 300 & setsid sh -c 'sleep 300 & sleep 300' & exit 0"});
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Ends, AProgramThatIsNotThere) {
  const Finished missing = mpirun({"-n", "3", "no-such-program"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(lines(missing.err).size(), 1u) << missing.err;
  EXPECT_THAT(missing.err, AllOf(HasSubstr("no-such-program"), HasSubstr("No such file")));
  const Finished data = mpirun({"-n", "3", "/etc/passwd"});
  EXPECT_EQ(data.status, 126);
  EXPECT_THAT(data.err, HasSubstr("Permission denied"));
  const Finished folder = mpirun({"-n", "1", "--wdir", "/no/such/folder", "true"});
  EXPECT_NE(folder.status, 0);
  EXPECT_THAT(folder.err, HasSubstr("/no/such/folder"));
}

TEST(Ends, ATimeLimit) {
  const Finished job = mpirun({"-n", "2", "--timeout", "0.3", "sleep", "60"});
  EXPECT_EQ(job.status, 124);
  EXPECT_THAT(job.err, HasSubstr("--timeout"));
  EXPECT_THAT(job.left, IsEmpty());
}

class Signals : public testing::TestWithParam<int> {};

TEST_P(Signals, ReachEveryRankUnchanged) {
  const std::string name = std::to_string(GetParam());
  JobRun job({MPIRUN, "-n", "2", "sh", "-c",
              "trap 'echo got it; exit 0' " + name + "; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(job.wait_for("ready\nready\n"));
  kill(job.pid(), GetParam());
  job.finish(10);
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_THAT(job.out, HasSubstr("got it\ngot it\n"));
}

TEST_P(Signals, EndWith128AndTheSignalWhenTheRanksDieOfIt) {
  JobRun job({MPIRUN, "-n", "2", "sh", "-c", "echo ready; exec sleep 60"});
  ASSERT_TRUE(job.wait_for("ready\nready\n"));
  kill(job.pid(), GetParam());
  job.finish(10);
  EXPECT_EQ(job.status, 128 + GetParam());
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, Signals, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT));

TEST(SecondInterrupt, KillsAtOnce) {
  JobRun job({MPIRUN, "-n", "2", "sh", "-c",
              "trap 'echo not yet' INT; trap '' TERM; echo ready; while :; do sleep 0.1; done"});
  ASSERT_TRUE(job.wait_for("ready\nready\n"));
  kill(job.pid(), SIGINT);
  ASSERT_TRUE(job.wait_for("not yet\nnot yet\n"));  // two signals that wait at once are one
  kill(job.pid(), SIGINT);
  job.finish(soon);
  EXPECT_EQ(job.status, 130);
  EXPECT_THAT(job.left, IsEmpty());
}

// A rank ends the job while the others are on their way to the PMIx server.
TEST(Ends, WhatPmixSaysOfAConnectionThatBreaksIsNotPrinted) {
  for (const char* delay : {"0.00", "0.01", "0.02", "0.03", "0.05"}) {
    const std::string script =
        std::string("if [ $PMIX_RANK = 3 ]; then sleep ") + delay + "; exit 3; fi; exec " CLIENT " fence";
    const Finished job = mpirun({"-n", "4", "sh", "-c", script});
    EXPECT_EQ(job.status, 3);
    EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  }
}

}  // namespace
}  // namespace cow::test
