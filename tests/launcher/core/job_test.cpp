#include "launcher/core/job.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cow::launch {
namespace {

Job some_job() {
  Job job;
  job.name = "a job";
  job.key = std::string(32, '\0');
  job.environment = {"A=1", "EMPTY=", std::string("NUL=\0x", 6)};
  job.applications = {{{"prog", "", "arg with blank"}, "/tmp", {"B=2"}, "/opt/bin:"}, {{"other"}, "/", {}, {}}};
  job.nodes = {"a", "b.example"};
  job.ranks = {{0, 0}, {1, 0}, {1, 1}};
  job.output_window = 4096;
  job.flush_after = 30ms;
  job.input = Input::sent;
  job.start.parents = {~0u, 0};
  job.start.agent = "/agent";
  return job;
}

TEST(Job, ComesBackAsItWasSent) {
  const Job job = some_job();
  Job out;
  ASSERT_TRUE(read_job({1, write_common(job), {{"10.0.0.1"}, 77, 8s}}, out));
  EXPECT_EQ(out.node, 1u);
  EXPECT_EQ(out.name, job.name);
  EXPECT_EQ(out.key, job.key);
  EXPECT_EQ(out.environment, job.environment);
  ASSERT_EQ(out.applications.size(), 2u);
  EXPECT_EQ(out.applications[0].argv, job.applications[0].argv);
  EXPECT_EQ(out.applications[0].environment, job.applications[0].environment);
  EXPECT_EQ(out.applications[0].path, "/opt/bin:");
  EXPECT_EQ(out.nodes, job.nodes);
  ASSERT_EQ(out.ranks.size(), 3u);
  EXPECT_EQ(out.ranks[2].node, 1u);
  EXPECT_EQ(out.ranks[2].application, 1u);
  EXPECT_EQ(out.input, Input::sent);
  EXPECT_EQ(out.start.parents, job.start.parents);
  EXPECT_EQ(out.start.agent, "/agent");
  EXPECT_EQ(out.keepalive.port, 77);
  EXPECT_EQ(out.binding, job.binding);
  EXPECT_EQ(write_common(out), write_common(job));
}

TEST(Job, ThatIsCutAnywhereIsRefused) {
  const std::string bytes = write_common(some_job());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Job out;
    EXPECT_FALSE(read_job({0, std::string_view(bytes).substr(0, size), {}}, out)) << size;
  }
  Job out;
  EXPECT_FALSE(read_job({0, bytes + "x", {}}, out));
}

TEST(Job, IndicesOutOfRangeAreRefused) {
  Job out;
  EXPECT_FALSE(read_job({2, write_common(some_job()), {}}, out));
  Job job = some_job();
  job.ranks[0].application = 2;
  EXPECT_FALSE(read_job({0, write_common(job), {}}, out));
  job = some_job();
  job.start.parents = {1, 0};
  EXPECT_FALSE(read_job({0, write_common(job), {}}, out));
  job = some_job();
  job.key.pop_back();
  EXPECT_FALSE(read_job({0, write_common(job), {}}, out));
}

// Bytes changed at random are refused or give a job whose indices are good; nothing is read outside (ASan watches).
TEST(Job, ChangedBytesNeverGiveAJobThatCannotBeUsed) {
  const std::string bytes = write_common(some_job());
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    Job out;
    if (!read_job({0, changed, {}}, out)) continue;
    for (const Place& place : out.ranks) {
      ASSERT_LT(place.node, out.nodes.size());
      ASSERT_LT(place.application, out.applications.size());
    }
  }
}

}  // namespace
}  // namespace cow::launch
