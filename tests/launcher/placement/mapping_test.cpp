#include "launcher/placement/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cow::launch {
namespace {

using testing::HasSubstr;

MappingPlan read(MappingWords words) {
  MappingPlan out;
  EXPECT_EQ(read_mapping(words, out), "");
  return out;
}

std::string wrong(MappingWords words) {
  MappingPlan out;
  return read_mapping(words, out);
}

TEST(Mapping, NothingSaidIsNothingBound) {
  const MappingPlan plan = read({});
  EXPECT_EQ(plan.binding, BindingPlan{});
  EXPECT_FALSE(plan.spread.by_node || plan.spread.number_by_node);
}

TEST(Mapping, ByNodeAndBySlot) {
  EXPECT_TRUE(read({"node", "", "", 0, 0}).spread.number_by_node);
  EXPECT_FALSE(read({"node", "", "slot", 0, 0}).spread.number_by_node);
  EXPECT_TRUE(read({"node", "", "slot", 0, 0}).spread.by_node);
  EXPECT_TRUE(read({"slot", "", "node", 0, 0}).spread.number_by_node);
  EXPECT_TRUE(read({"slot:OVERSUBSCRIBE", "", "", 0, 0}).oversubscribe);
}

TEST(Mapping, ToAnObjectBindsToIt) {
  EXPECT_EQ(read({"socket", "", "", 0, 0}).binding.bind, Level::socket);
  EXPECT_EQ(read({"socket", "core", "", 0, 0}).binding.bind, Level::core);
  EXPECT_EQ(read({"package", "none", "", 0, 0}).binding.bind, Level::none);
  EXPECT_EQ(read({"", "l3cache", "", 0, 0}).binding.bind, Level::l3);
}

TEST(Mapping, SeveralCores) {
  const MappingPlan plan = read({"socket:PE=3", "", "", 0, 0});
  EXPECT_EQ(plan.binding.map, Level::socket);
  EXPECT_EQ(plan.binding.bind, Level::core);
  EXPECT_EQ(plan.binding.width, 3u);
  EXPECT_EQ(read({"", "", "", 0, 2}).binding.width, 2u);
}

TEST(Mapping, SoManyToEachObject) {
  const MappingPlan node = read({"ppr:3:node", "", "", 0, 0});
  EXPECT_EQ(node.ranks_per_object, 3u);
  EXPECT_EQ(node.binding.bind, Level::none);
  EXPECT_EQ(read({"", "", "", 4, 0}).ranks_per_object, 4u);
  EXPECT_EQ(read({"ppr:2:socket", "", "", 0, 0}).binding.per_object, 2u);
}

// What Open MPI 4 and 5 and MPICH's Hydra document.
TEST(Mapping, WordsOfOtherLaunchers) {
  EXPECT_TRUE(read({":OVERSUBSCRIBE", "", "", 0, 0}).oversubscribe);
  EXPECT_EQ(read({":OVERSUBSCRIBE", "", "", 0, 0}).binding, BindingPlan{});
  EXPECT_TRUE(read({"slot:NOLOCAL:noinherit", "", "", 0, 0}).no_local);
  EXPECT_TRUE(read({"slot:span", "", "", 0, 0}).spread.by_node);
  EXPECT_FALSE(read({"slot:span", "", "", 0, 0}).spread.number_by_node);
  EXPECT_TRUE(read({"ppr:2:node:display:donotlaunch", "", "", 0, 0}).dry_run);
  EXPECT_TRUE(read({"board", "", "machine", 0, 0}).spread.by_node);
  EXPECT_EQ(read({"L3cache", "", "", 0, 0}).binding.bind, Level::l3);
  EXPECT_EQ(read({"L2cache", "", "", 0, 0}).binding.map, Level::l2);
  EXPECT_EQ(read({"L1cache", "", "", 0, 0}).binding.map, Level::core);
  EXPECT_EQ(read({"", "CORE:if-supported:overload-allowed", "", 0, 0}).binding.bind, Level::core);
  EXPECT_EQ(read({"", "core:2", "", 0, 0}).binding.width, 2u);
  EXPECT_EQ(read({"core", "core:2", "", 0, 0}).binding.map, Level::none);
  EXPECT_TRUE(read({"", "core:REPORT", "", 0, 0}).binding.report);
  EXPECT_EQ(read({"core", "machine", "", 0, 0}).binding.bind, Level::none);
  EXPECT_EQ(read({"", "rr", "", 0, 0}).binding.bind, Level::hwthread);
  EXPECT_EQ(read({"core", "", "package:FILL", 0, 0}).binding.rank, Level::socket);
  EXPECT_THAT(wrong({"core", "", "core:span", 0, 0}), HasSubstr("--rank-by …:span is not offered"));
  for (const char* map : {"seq", "rankfile:FILE=x", "dist:mlx5_0", "pe-list=0,1", "slot:pe-list=0,1", "slot:ordered"}) {
    EXPECT_THAT(wrong({map, "", "", 0, 0}), HasSubstr("is not offered: ")) << map;
  }
  for (const char* bind : {"user:0,1", "cpu-list:ordered", "core:no-overload"}) {
    EXPECT_THAT(wrong({"", bind, "", 0, 0}), HasSubstr("is not offered: ")) << bind;
  }
}

TEST(Mapping, HardwareThreadsAsProcessingElements) {
  EXPECT_EQ(read({"slot:PE=2", "", "", 0, 0, true}).binding.bind, Level::hwthread);
  EXPECT_EQ(read({"slot:PE=1:HWTCPUS", "", "", 0, 0}).binding.bind, Level::hwthread);
  EXPECT_EQ(read({"", "", "", 0, 2, true}).binding.bind, Level::hwthread);
  EXPECT_EQ(read({"core", "", "", 0, 0, true}).binding.bind, Level::core);
  EXPECT_EQ(read({"slot:PE=2:CORECPUS", "", "", 0, 0}).binding.bind, Level::core);
  EXPECT_EQ(read({"", "", "", 0, 0, true}).binding, BindingPlan{});
}

TEST(Mapping, WhatIsWrongIsSaidWithTheNearestWord) {
  EXPECT_THAT(wrong({"sockt", "", "", 0, 0}), HasSubstr("did you mean socket?"));
  EXPECT_THAT(wrong({"", "cores", "", 0, 0}), HasSubstr("did you mean core?"));
  EXPECT_THAT(wrong({"", "", "bord", 0, 0}), HasSubstr("--rank-by bord"));
  EXPECT_THAT(wrong({"ppr:x:node", "", "", 0, 0}), HasSubstr("ppr:N:OBJECT"));
  EXPECT_THAT(wrong({"core:PE=0", "", "", 0, 0}), HasSubstr("PE=N"));
  EXPECT_THAT(wrong({"core:spam", "", "", 0, 0}), HasSubstr("did you mean span?"));
  EXPECT_THAT(wrong({"", "", "socket", 0, 0}), HasSubstr("bound"));
  EXPECT_THAT(wrong({"ppr:2:node", "", "", 4, 0}), HasSubstr("exclude"));
}

TEST(Map, ListsHostsAndPrograms) {
  EXPECT_EQ(draw_map({"a", "b"}, {0, 1, 0, 1, 1}, {"m", "w", "w", "w", "w"}),
            "a: rank 0 (m); rank 2 (w)\nb: ranks 1,3-4 (w)\n");
}

}  // namespace
}  // namespace cow::launch
