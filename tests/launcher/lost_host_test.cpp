// A host that falls off the network: mpirun ends the job elsewhere, and the host's own agent ends its part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "job.hpp"

namespace cow::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* hosts = HARNESS "/hosts";

class LostHost : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "hosts are network namespaces, which only root can make";
  }
  // One rank on each of three hosts; mpirun is on the first of them.
  static std::vector<std::string> command() {
    return {hosts,
            "run",
            "3",
            "--",
            "/bin/sh",
            "-c",
            "echo hosts $HOSTS.; exec " MPIRUN " -v --host-timeout 2s --host $HOSTS -n 3 " CLIENT " wait 2>&1"};
  }
  // The name of the last host, when all is running and watched.
  static std::string last_host(JobRun& job) {
    for (const char* text : {"ready 0", "ready 1", "ready 2", "-2: its kernel", "-3: its kernel"}) {
      if (!job.wait_for(text)) return {};
    }
    const std::size_t end = job.out.find('.'), begin = job.out.rfind(',', end) + 1;
    return job.out.substr(begin, end - begin);
  }
  static long count(const std::string& what) {
    const auto all = descendants();
    return std::count_if(all.begin(), all.end(),
                         [&](const LivingProcess& process) { return process.command.find(what) == 0; });
  }
};

TEST_F(LostHost, EndsTheJobWithTheHostsName) {
  JobRun job(command());
  const std::string host = last_host(job);
  ASSERT_NE(host, "") << job.out;
  ASSERT_EQ(system((std::string(hosts) + " cut " + host).c_str()), 0);
  job.finish(20);
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.out, HasSubstr("host " + host + " is lost: no sign of life has come from it for 2"));
  EXPECT_THAT(job.left, IsEmpty());
}

// mpirun stands still, and is no reason for anything; the cut is.
TEST_F(LostHost, IsNoticedByItsOwnAgent) {
  JobRun job(command());
  const std::string host = last_host(job);
  ASSERT_NE(host, "") << job.out;
  pid_t mpirun = -1;
  for (const LivingProcess& process : descendants()) {
    if (process.command.find(MPIRUN) == 0) mpirun = process.pid;
  }
  ASSERT_GT(mpirun, 0);
  kill(mpirun, SIGSTOP);
  sleep(3);
  EXPECT_EQ(count(CLIENT), 3) << "a suspended mpirun is no lost one";
  ASSERT_EQ(system((std::string(hosts) + " cut " + host).c_str()), 0);
  for (int i = 0; i < 200 && count(CLIENT) == 3; ++i) usleep(100'000);
  EXPECT_EQ(count(CLIENT), 2);
  kill(mpirun, SIGCONT);
  job.finish(20);
  EXPECT_EQ(job.status, 125);
  EXPECT_THAT(job.left, IsEmpty());
}

}  // namespace
}  // namespace cow::test
