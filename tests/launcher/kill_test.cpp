// Whatever is killed, the job is gone within two seconds, with the right status, the cause in one line, and nothing left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// Ranks in MPI, each with a child and a daemon of a session of its own that ignore all they can.
const std::vector<std::string> stubborn{
    MPIRUN,
    "-n",
    "3",
    "sh",
    "-c",
    "trap '' TERM INT HUP; sleep 1000 & setsid sh -c 'trap \"\" TERM HUP; sleep 1000 & sleep 1000' & " CLIENT " wait"};

pid_t find(const std::string& what, std::size_t which = 0) {
  for (const LivingProcess& process : descendants()) {
    if (process.command.find(what) != std::string::npos && which-- == 0) return process.pid;
  }
  return -1;
}

// The agent's parent is the supervisor, which has the same command line.
pid_t find_agent() {
  const auto all = descendants();
  for (const LivingProcess& process : all) {
    if (process.command.find("cow-agent") == std::string::npos) continue;
    for (const LivingProcess& parent : all) {
      if (parent.pid == process.parent && parent.command.find("cow-agent") != std::string::npos) return process.pid;
    }
  }
  return -1;
}

pid_t parent_of(pid_t pid) {
  for (const LivingProcess& process : descendants()) {
    if (process.pid == pid) return process.parent;
  }
  return -1;
}

bool all_ready(JobRun& job) { return job.wait_for("ready 0") && job.wait_for("ready 1") && job.wait_for("ready 2"); }

TEST(Kill, ARank) {
  JobRun job({MPIRUN, "-n", "3", CLIENT, "wait"});
  ASSERT_TRUE(all_ready(job));
  kill(find("pmix_client wait", 1), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.err, AllOf(HasSubstr("killed by signal 9 (Killed)"), HasSubstr("rank ")));
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Kill, ARankBelowAShell) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(find("pmix_client wait", 1), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Kill, TheAgent) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(find_agent(), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.err, AllOf(HasSubstr("the agent on host"), HasSubstr("signal 9")));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Kill, TheSupervisor) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(parent_of(find_agent()), SIGKILL);
  job.finish(soon);
  EXPECT_GT(job.status, 0);
  EXPECT_THAT(job.err, HasSubstr("supervisor"));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Kill, Mpirun) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(job.pid(), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.left, IsEmpty());
  EXPECT_LT(job.left_after, soon);
}

TEST(Kill, MpirunsWholeProcessGroup) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(-job.pid(), SIGKILL);
  job.finish(soon);
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(Kill, MpirunWhileItIsStopped) {
  JobRun job(stubborn);
  ASSERT_TRUE(all_ready(job));
  kill(job.pid(), SIGSTOP);
  usleep(100'000);
  EXPECT_NE(find("pmix_client wait"), -1);  // to be suspended is no failure
  kill(job.pid(), SIGKILL);
  job.finish(soon);
  EXPECT_THAT(job.left, IsEmpty());
}

// At moments spread over the start of a job, when some parts are there and others not yet.
TEST(Kill, AnythingAtAnyMomentOfTheStart) {
  for (int moment = 0; moment < 24; ++moment) {
    JobRun job(stubborn);
    usleep(static_cast<useconds_t>(moment / 3 * 4000));
    const pid_t victim = moment % 3 == 0 ? job.pid() : moment % 3 == 1 ? find_agent() : parent_of(find_agent());
    kill(victim > 0 ? victim : job.pid(), SIGKILL);
    job.finish(soon);
    EXPECT_NE(job.status, 0) << moment;
    EXPECT_NE(job.status, -1) << moment;
    EXPECT_THAT(job.left, IsEmpty()) << moment;
  }
}

}  // namespace
}  // namespace cow::test
