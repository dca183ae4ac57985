// Agents that start agents: the hosts are all this one, to which tests/hosts/local leads; those that are cut off are
// network namespaces.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// Below mpirun are h1 and h4, below h1 are h2 and h3, below h4 h5 and h6, and below h6 h7.
std::vector<std::string> seven_hosts(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"--rsh-agent", HARNESS "/local", "--tree-width", "2", "--host", "h1,h2,h3,h4,h5,h6,h7"});
  return arguments;
}

std::vector<std::string> with_mpirun(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MPIRUN);
  return arguments;
}

std::vector<std::string> waiting_job() {
  return with_mpirun(
      seven_hosts({"-n", "7", "sh", "-c", "trap '' TERM HUP; sleep 1000 & setsid sleep 1000 & " CLIENT " wait"}));
}

bool all_ready(JobRun& job) {
  for (int rank = 0; rank < 7; ++rank) {
    if (!job.wait_for("ready " + std::to_string(rank))) return false;
  }
  return true;
}

std::string environment_of(pid_t pid) {
  const int fd = open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  std::string out(64 << 10, '\0');
  const ssize_t size = fd < 0 ? 0 : read(fd, out.data(), out.size());
  if (fd >= 0) close(fd);
  out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return out;
}

// The supervisor and the agent of a host, in this order.
std::vector<pid_t> agents_of(const std::string& host) {
  std::vector<LivingProcess> found;
  for (const LivingProcess& process : descendants()) {
    if (process.command.find("cow-agent --remote") == std::string::npos || process.command.starts_with("/bin/sh"))
      continue;
    if (environment_of(process.pid).find("LOCAL_HOST=" + host + '\0') != std::string::npos) found.push_back(process);
  }
  if (found.size() == 2 && found[0].parent == found[1].pid) std::swap(found[0], found[1]);
  std::vector<pid_t> out;
  for (const LivingProcess& process : found) out.push_back(process.pid);
  return out;
}

TEST(TreeOfAgents, RanksExchangeAndFence) {
  for (const char* what : {"exchange", "fence"}) {
    const Finished job = mpirun(seven_hosts({"-n", "9", CLIENT, what}));
    EXPECT_EQ(job.status, 0) << what << job.err;
    EXPECT_EQ(lines(job.out).size(), 9u);
    EXPECT_EQ(job.err, "");
    EXPECT_THAT(job.left, IsEmpty());
  }
}

TEST(TreeOfAgents, AQuestionAboutARankThatIsGoneIsAnswered) {
  const Finished job = mpirun(seven_hosts({"-n", "7", CLIENT, "ask-gone"}));
  EXPECT_EQ(job.status, 0) << job.err;
}

TEST(TreeOfAgents, EachIsStartedByItsParent) {
  const Finished job = mpirun(seven_hosts({"-v", "-n", "7", "true"}));
  EXPECT_EQ(job.status, 0);
  EXPECT_THAT(job.err,
              AllOf(HasSubstr("3 levels of agents"), HasSubstr("host h2: its agent answers"),
                    HasSubstr("host h6 started it"), HasSubstr("host h1: started "), HasSubstr("host h4: started ")));
  EXPECT_EQ(job.err.find("host h7: started"), std::string::npos) << "mpirun started what an agent was to start";
}

TEST(TreeOfAgents, OutputAndInputPassThroughIt) {
  const Finished output = mpirun(seven_hosts({"-n", "7", "seq", "1", "30000"}));
  EXPECT_EQ(lines(output.out).size(), 7u * 30000u);
  std::string text;
  for (int i = 0; text.size() < (1u << 20); ++i) text += std::to_string(i) + "\n";
  const Finished last = mpirun(seven_hosts({"-n", "7", "--stdin", "6", "cat"}), {text, {}, -1});
  EXPECT_TRUE(last.out == text);
  const Finished all = mpirun(seven_hosts({"-n", "7", "--stdin", "all", "wc", "-c"}), {text, {}, -1});
  EXPECT_EQ(lines(all.out), std::vector<std::string>(7, std::to_string(text.size())));
}

TEST(TreeOfAgents, SignalsReachAll) {
  JobRun job(with_mpirun(
      seven_hosts({"-n", "7", "sh", "-c",
                   "trap 'echo got it; exit 0' USR1; echo ready $PMIX_RANK; while :; do sleep 0.05; done"})));
  ASSERT_TRUE(all_ready(job));
  kill(job.pid(), SIGUSR1);
  job.finish(20);
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(lines(job.out).size(), 14u) << job.out;
}

TEST(TreeOfAgents, TheFirstFailureEndsAll) {
  const Finished job = mpirun(seven_hosts({"-n", "7", "sh", "-c", "[ $PMIX_RANK = 6 ] && exit 5; sleep 1000"}));
  EXPECT_EQ(job.status, 5);
  EXPECT_THAT(job.err, AllOf(HasSubstr("rank 6"), HasSubstr("on host h7")));
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, AHostThatAnAgentCannotReachIsNamedWithWhatItsRemoteShellSaid) {
  const Finished job =
      mpirun({"--rsh-agent", HARNESS "/local", "--tree-width", "1", "--host", "h1,h2,nowhere,h4", "-n", "4", "true"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err,
              AllOf(HasSubstr("cannot start on host nowhere from host h2: the remote shell ended with status 255"),
                    HasSubstr("local: there is no host nowhere"), HasSubstr("the command was: ")));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, ASilentHostIsGivenUpByWhoStartedIt) {
  const Finished job = mpirun({"--rsh-agent", HARNESS "/local", "--tree-width", "1", "--start-timeout", "1s", "--host",
                               "h1,silent,h3", "-n", "3", "true"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, HasSubstr("cannot start on host silent from host h1: no answer came"));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, TheDeathOfAnInnerAgentIsTheCauseThatIsTold) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job)) << job.err;
  const std::vector<pid_t> victims = agents_of("h4");
  ASSERT_EQ(victims.size(), 2u);
  kill(victims[1], SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(
      job.err,
      HasSubstr("the agent on host h4 was killed by signal 9 (Killed); with it go the 3 hosts that it had started"));
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, TheDeathOfAnInnerSupervisorEndsAll) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job)) << job.err;
  const std::vector<pid_t> victims = agents_of("h6");
  ASSERT_EQ(victims.size(), 2u);
  kill(victims[0], SIGKILL);
  job.finish(soon);
  EXPECT_GT(job.status, 0);
  EXPECT_THAT(job.err, HasSubstr("host h6"));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, TheDeathOfALeafIsToldByItsParent) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job)) << job.err;
  const std::vector<pid_t> victims = agents_of("h7");
  ASSERT_EQ(victims.size(), 2u);
  kill(victims[1], SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.err, HasSubstr("the agent on host h7 was killed by signal 9"));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST(TreeOfAgents, TheDeathOfMpirunEndsAll) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job)) << job.err;
  kill(job.pid(), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.left, IsEmpty());
}

// Hosts in a chain, each started by the one before; the third is cut off, and the fourth with it.
TEST(TreeOfAgents, AnInnerHostThatIsCutOffIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "hosts are network namespaces, which only root can make";
  JobRun job({HARNESS "/hosts", "run", "4", "--", "/bin/sh", "-c",
              "echo hosts $HOSTS.; exec " MPIRUN " -v --host-timeout 2s --tree-width 1 --host $HOSTS -n 4 " CLIENT
              " wait 2>&1"});
  for (const char* text : {"ready 0", "ready 1", "ready 2", "ready 3", "-3: its kernel", "-4: its kernel"}) {
    ASSERT_TRUE(job.wait_for(text)) << text << job.out;
  }
  const std::size_t end = job.out.rfind(',', job.out.find('.')), begin = job.out.rfind(',', end - 1) + 1;
  const std::string host = job.out.substr(begin, end - begin);
  ASSERT_EQ(system((HARNESS "/hosts cut " + host).c_str()), 0);
  job.finish(20);
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.out, AllOf(HasSubstr("host " + host + " is lost: no sign of life has come from it to host "),
                             HasSubstr("with it go the 1 host that")));
  EXPECT_THAT(job.left, IsEmpty());
}

}  // namespace
}  // namespace cow::test
