// Jobs over several hosts, which are network namespaces made by tests/hosts/hosts; only root can make them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class ManyHosts : public testing::Test {
 protected:
  static constexpr const char* rsh = HARNESS "/rsh";
  static std::string prefix() { return "l" + std::to_string(getpid()); }

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "hosts are network namespaces, which only root can make";
    JobRun up({HARNESS "/hosts", "up", prefix(), "3"});
    up.finish();
    ASSERT_EQ(up.status, 0) << up.err;
    hosts_ = lines(up.out);
    ASSERT_EQ(hosts_.size(), 3u);
  }
  void TearDown() override {
    if (geteuid() == 0) JobRun({HARNESS "/hosts", "down", prefix()}).finish();
  }

  std::string list(int count = 3) const {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i ? "," : "") + hosts_[static_cast<std::size_t>(i)];
    return out;
  }
  Finished run(const std::string& hosts, std::vector<std::string> arguments, JobOptions options = {}) const {
    arguments.insert(arguments.begin(), {"--rsh-agent", rsh, "--host", hosts});
    return mpirun(std::move(arguments), std::move(options));
  }
  std::vector<std::string> waiting_job() const {
    return {
        MPIRUN, "--rsh-agent", rsh,  "--host", list(),
        "-n",   "3",           "sh", "-c",     "trap '' TERM HUP; sleep 1000 & setsid sleep 1000 & " CLIENT " wait"};
  }

  std::vector<std::string> hosts_;
};

bool all_ready(JobRun& job) { return job.wait_for("ready 0") && job.wait_for("ready 1") && job.wait_for("ready 2"); }

// The agents (children of supervisors) in the order of the list of processes.
std::vector<LivingProcess> agents(bool supervisors) {
  const auto all = descendants();
  std::vector<LivingProcess> out;
  for (const LivingProcess& process : all) {
    if (process.command.find("cow-agent --remote") == std::string::npos || process.command.starts_with("/bin/sh"))
      continue;
    const bool below_supervisor = std::any_of(all.begin(), all.end(), [&](const LivingProcess& other) {
      return other.pid == process.parent && other.command.find("cow-agent --remote") != std::string::npos &&
             !other.command.starts_with("/bin/sh");
    });
    if (below_supervisor != supervisors) out.push_back(process);
  }
  return out;
}

TEST_F(ManyHosts, RanksExchangeAndFenceAcrossHosts) {
  for (const char* what : {"exchange", "fence"}) {
    for (const char* ranks : {"2", "3", "5", "8"}) {
      const Finished job = run(list(*ranks == '2' ? 2 : 3), {"-n", ranks, CLIENT, what});
      EXPECT_EQ(job.status, 0) << what << ranks << job.err;
      EXPECT_EQ(lines(job.out).size(), static_cast<std::size_t>(atoi(ranks)));
      EXPECT_THAT(job.left, IsEmpty());
    }
  }
}

TEST_F(ManyHosts, EachRankRunsWhereItWasPlaced) {
  const Finished job = run(hosts_[0] + ":2," + hosts_[1] + ":1", {"-l", "-n", "3", "hostname"});
  auto all = lines(job.out);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<std::string>{"[0] " + hosts_[0], "[1] " + hosts_[0], "[2] " + hosts_[1]}));
}

TEST_F(ManyHosts, AQuestionAboutARankThatIsGoneIsAnswered) {
  const Finished job = run(list(), {"-n", "3", CLIENT, "ask-gone"});
  EXPECT_EQ(job.status, 0) << job.err;
}

TEST_F(ManyHosts, TheLimitOfAQuestionIsKept) {
  const Finished job = run(list(), {"-n", "3", CLIENT, "ask-slow"});
  EXPECT_EQ(job.status, 0) << job.err;
}

TEST_F(ManyHosts, TheEnvironmentIsTheSameEverywhere) {
  const Finished job = run(list(2), {"-l", "-n", "2", "env"}, {"", {"ODD=a b'\"$x"}, -1});
  std::multiset<std::string> seen[2];
  for (const std::string& line : lines(job.out)) {
    const std::string entry = line.substr(4);
    if (entry.starts_with("PMI_RANK=") || entry.starts_with("OMPI_COMM_WORLD_RANK=") ||
        entry.starts_with("PMIX_RANK=") || entry.starts_with("PMIX_SERVER_URI") ||
        entry.starts_with("PMIX_HOSTNAME=") || entry.starts_with("COW_AGENT=")) {
      continue;
    }
    seen[line[1] - '0'].insert(entry);
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[1].count("ODD=a b'\"$x"), 1u);
}

TEST_F(ManyHosts, InputReachesRankZeroElsewhere) {
  std::string text;
  for (int i = 0; text.size() < (3u << 20); ++i) text += std::to_string(i) + "\n";
  const Finished job = run(list(), {"-n", "3", "cat"}, {text, {}, -1});
  EXPECT_EQ(job.status, 0);
  EXPECT_TRUE(job.out == text);
}

TEST_F(ManyHosts, OutputOfAllArrives) {
  const Finished job = run(list(), {"-n", "6", "seq", "1", "200000"});
  EXPECT_EQ(lines(job.out).size(), 6u * 200000u);
}

TEST_F(ManyHosts, AHostThatIsNotThereIsNamedWithWhatTheRemoteShellSaid) {
  const Finished job = run(hosts_[0] + ",nowhere", {"-n", "2", "true"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, AllOf(HasSubstr("host nowhere"), HasSubstr("there is no host nowhere"),
                             HasSubstr("the command was"), HasSubstr("rsh nowhere")));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST_F(ManyHosts, AnInstallationThatIsNotThereIsSaid) {
  const Finished job = run(hosts_[0], {"--prefix", "/no/such/place", "-n", "1", "true"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, AllOf(HasSubstr(hosts_[0]), HasSubstr("status 127"), HasSubstr("/no/such/place")));
}

TEST_F(ManyHosts, ARemoteShellThatIsNotThere) {
  const Finished job = mpirun({"--rsh-agent", "no-such-shell", "--host", "elsewhere", "true"});
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, AllOf(HasSubstr("elsewhere"), HasSubstr("no-such-shell")));
}

TEST_F(ManyHosts, ASilentHostIsGivenUp) {
  JobRun job({MPIRUN, "--rsh-agent", "/bin/sleep 1000; :", "--host", "elsewhere", "--start-timeout", "300ms", "true"});
  job.finish(5);
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.err, HasSubstr("elsewhere"));
  EXPECT_THAT(job.left, IsEmpty());
}

// A login script that prints something does not disturb the channel.
TEST_F(ManyHosts, NoiseOfALoginScriptIsSkipped) {
  const std::string script = testing::TempDir() + "noisy." + std::to_string(getpid());
  FILE* file = fopen(script.c_str(), "w");
  fputs("#!/bin/sh\necho Welcome to $1; echo '** motd **' >&2; exec " HARNESS "/rsh \"$@\"\n", file);
  fclose(file);
  chmod(script.c_str(), 0755);
  const Finished job = mpirun({"--rsh-agent", script, "--host", list(2), "-n", "2", CLIENT, "exchange"});
  EXPECT_EQ(job.status, 0);
  EXPECT_EQ(job.err, "");
  EXPECT_EQ(lines(job.out).size(), 2u) << job.out;
  unlink(script.c_str());
}

TEST_F(ManyHosts, TheFailureOfARankEndsAllHosts) {
  const Finished job = run(list(), {"-n", "3", CLIENT, "abort", "9"});
  EXPECT_EQ(job.status, 9);
  EXPECT_THAT(job.err, AllOf(HasSubstr("rank 1"), HasSubstr("on host " + hosts_[1])));
  EXPECT_EQ(lines(job.err).size(), 1u) << job.err;
  EXPECT_THAT(job.left, IsEmpty());
}

TEST_F(ManyHosts, TheDeathOfAnAgentEndsAllHosts) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job));
  ASSERT_EQ(agents(false).size(), 3u);
  kill(agents(false)[1].pid, SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.err, AllOf(HasSubstr("the agent on host " + prefix()), HasSubstr("signal 9")));
  EXPECT_THAT(job.left, IsEmpty());
}

TEST_F(ManyHosts, TheDeathOfASupervisorEndsAllHosts) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job));
  ASSERT_EQ(agents(true).size(), 3u);
  kill(agents(true)[2].pid, SIGKILL);
  job.finish(soon);
  EXPECT_GT(job.status, 0);
  EXPECT_THAT(job.left, IsEmpty());
}

TEST_F(ManyHosts, TheDeathOfMpirunEndsAllHosts) {
  JobRun job(waiting_job());
  ASSERT_TRUE(all_ready(job));
  kill(job.pid(), SIGKILL);
  job.finish(soon);
  EXPECT_EQ(job.status, 137);
  EXPECT_THAT(job.left, IsEmpty());
}

TEST_F(ManyHosts, SignalsReachAllHosts) {
  JobRun job({MPIRUN, "--rsh-agent", rsh, "--host", list(), "-n", "3", "sh", "-c",
              "trap 'echo got it; exit 0' USR1; echo ready $PMIX_RANK; while :; do sleep 0.05; done"});
  ASSERT_TRUE(all_ready(job));
  kill(job.pid(), SIGUSR1);
  job.finish(10);
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_THAT(job.out, HasSubstr("got it\ngot it\ngot it\n"));
}

}  // namespace
}  // namespace cow::test
