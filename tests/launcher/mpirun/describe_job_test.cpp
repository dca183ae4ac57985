#include "launcher/mpirun/describe_job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options with(std::vector<std::uint32_t> ranks_of_programs, std::vector<Host> hosts) {
  Options options;
  for (const std::uint32_t ranks : ranks_of_programs) {
    Program& program = options.programs.emplace_back();
    program.ranks = ranks;
    program.application = {{"./a.out"}, "/", {}, {}};
  }
  options.hosts = std::move(hosts);
  options.host_source = "--host";
  return options;
}

// "node/application" of each rank.
std::vector<std::string> places(const Job& job) {
  std::vector<std::string> out;
  for (const Place& place : job.ranks)
    out.push_back(std::to_string(place.node) + "/" + std::to_string(place.application));
  return out;
}

TEST(PlaceJob, FillsHostsInTurnAndLeavesOutThoseWithoutRanks) {
  Job job;
  EXPECT_EQ(place_job(with({3}, {{"a", 2}, {"b", 2}, {"c", 2}}), job), "");
  EXPECT_THAT(job.nodes, ElementsAre("a", "b"));
  EXPECT_THAT(places(job), ElementsAre("0/0", "0/0", "1/0"));
}

TEST(PlaceJob, ProgramsFollowEachOther) {
  Job job;
  EXPECT_EQ(place_job(with({1, 2}, {{"a", 2}, {"b", 2}}), job), "");
  EXPECT_THAT(places(job), ElementsAre("0/0", "0/1", "1/1"));
}

TEST(PlaceJob, WithoutACountThereAreAsManyRanksAsSlots) {
  Job job;
  EXPECT_EQ(place_job(with({0}, {{"a", 2}, {"b", 3}}), job), "");
  EXPECT_EQ(job.ranks.size(), 5u);
}

TEST(PlaceJob, SlotsCountTheRanksOfANode) {
  Job job;
  Options options = with({4}, {{"a", 2}, {"b", 2}});
  options.mapping.spread.by_node = options.mapping.spread.number_by_node = true;
  EXPECT_EQ(place_job(options, job), "");
  std::vector<std::uint32_t> slots;
  for (const Place& place : job.ranks) slots.push_back(place.slot);
  EXPECT_THAT(slots, ElementsAre(0, 0, 1, 1));
}

TEST(PlaceJob, RefusesMoreThanTheSlotsAndNamesTheirSource) {
  Job job;
  EXPECT_THAT(place_job(with({3}, {{"a", 1}, {"b", 1}}), job), HasSubstr("--host"));
}

TEST(PlaceJob, RefusesInputForARankThatIsNotThere) {
  Job job;
  Options options = with({2}, {{"a", 2}});
  options.input_rank = 2;
  EXPECT_THAT(place_job(options, job), HasSubstr("--stdin 2: the job has 2 ranks"));
}

TEST(PlaceJob, ByLayoutKeepsTheCountsOfHosts) {
  Job job;
  Options options = with({8}, {{"a", 4}, {"b", 4}});
  options.mapping.by_layout = true;
  EXPECT_THAT(place_job(options, job), HasSubstr("needs a layout"));
  job = {};
  options.settings.layout = "torus:4x2";
  EXPECT_EQ(place_job(options, job), "");
  EXPECT_EQ(std::count_if(job.ranks.begin(), job.ranks.end(), [](const Place& p) { return p.node == 0; }), 4);
}

TEST(CheckLayout, MustHaveAPlaceForEachRank) {
  Job job;
  job.ranks.resize(6);
  EXPECT_EQ(check_layout("", job), "");
  EXPECT_EQ(check_layout("torus:3x2", job), "");
  EXPECT_THAT(check_layout("torus:4x2", job), HasSubstr("--layout"));
  EXPECT_NE(check_layout("moebius:6", job), "");
}

TEST(DescribeJob, EachJobHasAKeyAndANameOfItsOwn) {
  Job one, other;
  EXPECT_EQ(describe_job(with({1}, {{"a", 1}}), one), "");
  EXPECT_EQ(describe_job(with({1}, {{"a", 1}}), other), "");
  EXPECT_EQ(one.key.size(), 32u);
  EXPECT_NE(one.key, other.key);
  EXPECT_NE(one.name, other.name);
}

TEST(PlaceJob, AProgramGoesToHostsOfItsOwn) {
  Job job;
  Options options = with({2, 1, 2}, {{"a", 2}, {"b", 2}});
  options.programs[1].hosts = {{"c", 0}, {"a", 0}};
  EXPECT_EQ(place_job(options, job), "");
  EXPECT_THAT(job.nodes, ElementsAre("a", "c"));
  EXPECT_THAT(places(job), ElementsAre("0/0", "0/0", "1/1", "0/2", "0/2"));
  options.programs[1].hosts = {{"c", 0}};
  options.programs[1].ranks = 2;
  options.programs[2].ranks = 3;
  Job more;
  EXPECT_EQ(place_job(options, more), "");
  EXPECT_THAT(places(more), ElementsAre("0/0", "0/0", "1/1", "1/1", "0/2", "0/2", "2/2"));
  std::vector<std::uint32_t> slots;
  for (const Place& place : more.ranks) slots.push_back(place.slot);
  EXPECT_THAT(slots, ElementsAre(0, 1, 0, 1, 2, 3, 0));
}

TEST(PlaceJob, SoftTakesTheLargestCountThatHasSlots) {
  Job job;
  Options options = with({8}, {{"a", 3}, {"b", 2}});
  options.programs[0].soft = "1:8:3";  // 1, 4, 7
  EXPECT_EQ(place_job(options, job), "");
  EXPECT_EQ(job.ranks.size(), 4u);
  options.settings.oversubscribe = true;
  Job more;
  EXPECT_EQ(place_job(options, more), "");
  EXPECT_EQ(more.ranks.size(), 7u);
  options.programs[0].soft = "6";
  options.settings.oversubscribe = false;
  EXPECT_THAT(place_job(options, job), HasSubstr("6 ranks were asked for, but --host gives 5 slots"));
  options.programs[0].soft = "9:12";
  EXPECT_THAT(place_job(options, job), HasSubstr("-soft 9:12: no count from 1 to 8"));
}

}  // namespace
}  // namespace cow::launch
