#include "launcher/core/wire.hpp"

#include <gtest/gtest.h>

#include <random>

#include "launcher/core/job.hpp"

namespace cow::launch {
namespace {

Job some_job() {
  Job job;
  job.name = "a job";
  job.key = std::string(32, '\0');
  job.environment = {"A=1", "EMPTY=", std::string("NUL=\0x", 6)};
  job.applications = {{{"prog", "", "arg with blank"}, "/tmp", {"B=2"}}, {{"other"}, "/", {}}};
  job.nodes = {"a", "b.example"};
  job.ranks = {{0, 0}, {1, 0}, {1, 1}};
  job.output_window = 4096;
  job.flush_after = 30;
  job.input = Input::sent;
  job.start.parents = {~0u, 0};
  job.start.agent = "/agent";
  return job;
}

TEST(Wire, AJobComesBackAsItWasSent) {
  const Job job = some_job();
  const Writer body = write_job(write_common(job), 1, {{"10.0.0.1"}, 77, 8000});
  Job out;
  ASSERT_TRUE(read_job(Reader(body.bytes()), out));
  EXPECT_EQ(out.node, 1u);
  EXPECT_EQ(out.name, job.name);
  EXPECT_EQ(out.key, job.key);
  EXPECT_EQ(out.environment, job.environment);
  ASSERT_EQ(out.applications.size(), 2u);
  EXPECT_EQ(out.applications[0].argv, job.applications[0].argv);
  EXPECT_EQ(out.applications[0].environment, job.applications[0].environment);
  EXPECT_EQ(out.nodes, job.nodes);
  ASSERT_EQ(out.ranks.size(), 3u);
  EXPECT_EQ(out.ranks[2].node, 1u);
  EXPECT_EQ(out.ranks[2].application, 1u);
  EXPECT_EQ(out.input, Input::sent);
  EXPECT_EQ(out.start.parents, job.start.parents);
  EXPECT_EQ(out.start.agent, "/agent");
  EXPECT_EQ(out.keepalive.port, 77);
  EXPECT_EQ(common_part(Reader(body.bytes())), write_common(job));
}

TEST(Wire, AJobThatIsCutAnywhereIsRefused) {
  const std::string bytes = write_job(write_common(some_job()), 0, {}).bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Job out;
    EXPECT_FALSE(read_job(Reader(std::string_view(bytes).substr(0, size)), out)) << size;
  }
  Job out;
  EXPECT_FALSE(read_job(Reader(bytes + "x"), out));
}

TEST(Wire, IndicesOutOfRangeAreRefused) {
  Job out;
  EXPECT_FALSE(read_job(Reader(write_job(write_common(some_job()), 2, {}).bytes()), out));
  Job job = some_job();
  job.ranks[0].application = 2;
  EXPECT_FALSE(read_job(Reader(write_job(write_common(job), 0, {}).bytes()), out));
  job = some_job();
  job.start.parents = {1, 0};
  EXPECT_FALSE(read_job(Reader(write_job(write_common(job), 0, {}).bytes()), out));
  job = some_job();
  job.key.pop_back();
  EXPECT_FALSE(read_job(Reader(write_job(write_common(job), 0, {}).bytes()), out));
}

// Bytes changed at random are refused or give a job whose indices are good; nothing is read outside (ASan watches).
TEST(Wire, ChangedBytesNeverGiveAJobThatCannotBeUsed) {
  const std::string bytes = write_job(write_common(some_job()), 0, {}).bytes();
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    Job out;
    if (!read_job(Reader(changed), out)) continue;
    for (const Place& place : out.ranks) {
      ASSERT_LT(place.node, out.nodes.size());
      ASSERT_LT(place.application, out.applications.size());
    }
  }
}

TEST(Wire, AListLongerThanItsBodyAllocatesNothing) {
  Writer body;
  body.u32(0xffffffff);
  Reader reader(body.bytes());
  EXPECT_TRUE(reader.texts().empty());
  EXPECT_FALSE(reader.good());
}

TEST(Wire, ReadingBeyondTheEndGivesZeroAndStaysBad) {
  Reader reader("\x01\x02");
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_EQ(reader.u8(), 0u);
  EXPECT_FALSE(reader.good());
}

TEST(Frames, AreFoundHoweverTheStreamIsCut) {
  const std::string stream = make_frame(Kind::output, 5, "abc") + make_frame(Kind::goodbye, everyone, "") +
                             make_frame(Kind::job, 0, std::string(100'000, 'x'));
  for (std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    FrameParser parser;
    std::vector<std::pair<Kind, std::size_t>> seen;
    std::vector<std::uint32_t> nodes;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      parser.feed(std::string_view(stream).substr(at, step));
      for (Frame frame; parser.next(frame);) {
        seen.emplace_back(frame.kind, frame.body.size());
        nodes.push_back(frame.node);
      }
    }
    const std::vector<std::pair<Kind, std::size_t>> expected{{Kind::output, 3}, {Kind::goodbye, 0}, {Kind::job, 100'000}};
    EXPECT_EQ(seen, expected) << step;
    EXPECT_EQ(nodes, (std::vector<std::uint32_t>{5, everyone, 0}));
    EXPECT_EQ(parser.waiting(), 0u);
  }
}

TEST(Frames, AHeaderThatMakesNoSenseEndsTheStream) {
  FrameParser parser;
  parser.feed(std::string("\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00", 12));
  Frame frame;
  EXPECT_FALSE(parser.next(frame));
  EXPECT_TRUE(parser.broken());
  parser.feed(make_frame(Kind::goodbye, everyone, ""));
  EXPECT_FALSE(parser.next(frame));

  FrameParser other;
  other.feed(std::string("\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00", 12));
  EXPECT_FALSE(other.next(frame));
  EXPECT_TRUE(other.broken());
}

}  // namespace
}  // namespace cow::launch
