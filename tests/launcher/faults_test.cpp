// Faults at random moments, each many times, on one host, on three, and on three that start each other: gone in time, with the right status and a cause, and
// nothing left. (A sample of them is in kill_test and many_hosts_test.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::IsEmpty;

constexpr int rounds = 20;
constexpr const char* hosts = HARNESS "/hosts";

constexpr int chain = 0;  // three hosts that are all this one, each started by the one before

class Faults : public testing::TestWithParam<int> {  // the number of hosts
 protected:
  void SetUp() override {
    if (GetParam() > 1 && geteuid() != 0) GTEST_SKIP() << "hosts are network namespaces, which only root can make";
  }
  // Ranks that are in MPI, each with a child and a daemon that ignore what can be ignored. "NAMES." is printed first.
  std::vector<std::string> command(const std::string& options = "") const {
    const std::string daemon = "sleep 1000." + std::to_string(getpid());
    const std::string ranks =
        " -n 3 sh -c \"trap '' TERM INT HUP; " + daemon + " & setsid " + daemon + " & " CLIENT " wait\"";
    if (GetParam() == 1) return {"/bin/sh", "-c", "echo local.; exec " MPIRUN " " + options + ranks};
    if (GetParam() == chain) {
      return {"/bin/sh", "-c",
              "echo local.; exec " MPIRUN " --rsh-agent " HARNESS "/local --tree-width 1 --host h1,h2,h3 " + options +
                  ranks};
    }
    // The hosts go with all that runs in them, supervisors too; so the job gets its two seconds before that.
    return {hosts,
            "run",
            std::to_string(GetParam()),
            "--",
            "/bin/sh",
            "-c",
            "echo $HOSTS.; " MPIRUN " --host $HOSTS " + options + ranks +
                "; status=$?; sleep 2; n=0; while ps -e -o args | grep -q '^[s]" + daemon.substr(1) +
                "' && [ $n -lt 60 ]; do sleep 0.1; n=$((n+1)); done; [ $n -lt 60 ] || ps -e -o args | grep '^[s]" +
                daemon.substr(1) + "' >&2; exit $status"};
  }
  useconds_t some_time(int most_ms) {
    return static_cast<useconds_t>(random_() % static_cast<unsigned>(most_ms * 1000));
  }
  // A process whose command line begins so; -1: none yet.
  pid_t pick(const std::string& beginning) {
    std::vector<pid_t> found;
    for (const LivingProcess& process : descendants()) {
      if (process.command.starts_with(beginning)) found.push_back(process.pid);
    }
    return found.empty() ? -1 : found[random_() % found.size()];
  }
  void expect_gone(JobRun& job, int round) {
    job.finish(30);
    EXPECT_NE(job.status, 0) << round;
    EXPECT_NE(job.status, -1) << round;
    EXPECT_THAT(job.left, IsEmpty()) << round;
    EXPECT_EQ(job.err.find("sleep 1000."), std::string::npos) << job.err;
  }
  void kill_some(const std::string& beginning) {
    for (int round = 0; round < rounds; ++round) {
      JobRun job(command());
      ASSERT_TRUE(job.wait_for("."));
      usleep(some_time(400));
      pid_t victim = -1;
      for (int i = 0; i < 2000 && (victim = pick(beginning)) < 0; ++i) usleep(5000);
      ASSERT_GT(victim, 0) << job.err;
      kill(victim, SIGKILL);
      expect_gone(job, round);
    }
  }
  std::minstd_rand random_{static_cast<unsigned>(getpid())};
};

TEST_P(Faults, ARankIsKilled) { kill_some(CLIENT); }

TEST_P(Faults, AnAgentOrASupervisorIsKilled) {
  kill_some(std::string(MPIRUN).substr(0, std::string(MPIRUN).rfind("/bin/")) + "/libexec");
}

TEST_P(Faults, MpirunIsKilled) { kill_some(MPIRUN); }

TEST_P(Faults, ARankExitsWithoutFinalize) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> words = command();
    std::string& line = words.back();
    line.replace(line.find(CLIENT " wait"), std::string(CLIENT " wait").size(), CLIENT " leave 3");
    JobRun job(words);
    expect_gone(job, round);
    EXPECT_EQ(job.status, 3);
    EXPECT_NE(job.err.find("rank 1"), std::string::npos) << job.err;
  }
}

TEST_P(Faults, ARankNeverCallsInit) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> words = command();
    std::string& line = words.back();
    line.replace(line.find(" -n 3 sh"), std::string::npos,
                 " -n 3 sh -c 'test $PMIX_RANK = 2 && sleep 0." + std::to_string(round % 4) +
                     " && exit 0; exec " CLIENT " wait'");
    JobRun job(words);
    expect_gone(job, round);
    EXPECT_EQ(job.status, 1);
    EXPECT_NE(job.err.find("without calling MPI_Init"), std::string::npos) << job.err;
  }
}

TEST_P(Faults, TheFilesOfTheOutputDoNotFit) {
  const std::string name = testing::TempDir() + "faults." + std::to_string(getpid());
  ASSERT_EQ(symlink("/dev/full", (name + ".1.out").c_str()), 0);
  for (int round = 0; round < rounds; ++round) {
    JobRun job(command("--output-filename " + name));
    expect_gone(job, round);
    EXPECT_EQ(job.status, 125);
    EXPECT_NE(job.err.find("No space left"), std::string::npos) << job.err;
  }
  for (const char* end : {".0.out", ".0.err", ".1.out", ".1.err", ".2.out", ".2.err"}) unlink((name + end).c_str());
}

TEST_P(Faults, StandardInputIsClosed) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> words = command();
    std::string& line = words.back();
    line.replace(line.find(" -n 3 sh"), std::string::npos, " -n 3 sh -c 'wc -c; exec " CLIENT " exchange' <&-");
    JobRun job(words);
    job.finish(30);
    EXPECT_EQ(job.status, 0) << job.err;
    EXPECT_THAT(job.left, IsEmpty());
  }
}

TEST_P(Faults, AHostIsCutOff) {
  if (GetParam() != 3) GTEST_SKIP() << "needs several hosts";
  using std::chrono::seconds;
  constexpr seconds promised(10), last_look(2), busy_machine(3);
  for (int round = 0; round < rounds; ++round) {
    JobRun job(command("-v"));
    for (const char* text : {"ready 0", "ready 1", "ready 2"}) ASSERT_TRUE(job.wait_for(text));
    usleep(some_time(1000));
    const std::size_t end = job.out.find('.'), begin = job.out.rfind(',', end) + 1;
    const std::string host = job.out.substr(begin, end - begin);
    ASSERT_EQ(system((std::string(hosts) + " cut " + host).c_str()), 0);
    const auto cut = std::chrono::steady_clock::now();
    job.finish(20);
    EXPECT_LT(std::chrono::steady_clock::now() - cut, promised + last_look + busy_machine);
    EXPECT_EQ(job.status, 125);
    EXPECT_NE(job.err.find("host " + host + " is lost"), std::string::npos) << job.err;
    EXPECT_THAT(job.left, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(On, Faults, testing::Values(1, 3, chain), [](const auto& info) {
  return std::string(info.param == 1 ? "OneHost" : info.param == 3 ? "ThreeHosts" : "Chain");
});

}  // namespace
}  // namespace cow::test
