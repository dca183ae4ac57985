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

TEST(Mapping, WhatIsWrongIsSaidWithTheNearestWord) {
  EXPECT_THAT(wrong({"sockt", "", "", 0, 0}), HasSubstr("did you mean socket?"));
  EXPECT_THAT(wrong({"", "cores", "", 0, 0}), HasSubstr("did you mean core?"));
  EXPECT_THAT(wrong({"", "", "board", 0, 0}), HasSubstr("--rank-by board"));
  EXPECT_THAT(wrong({"ppr:x:node", "", "", 0, 0}), HasSubstr("ppr:N:OBJECT"));
  EXPECT_THAT(wrong({"core:PE=0", "", "", 0, 0}), HasSubstr("PE=N"));
  EXPECT_THAT(wrong({"core:span", "", "", 0, 0}), HasSubstr("span"));
  EXPECT_THAT(wrong({"", "", "socket", 0, 0}), HasSubstr("bound"));
  EXPECT_THAT(wrong({"ppr:2:node", "", "", 4, 0}), HasSubstr("exclude"));
}

TEST(Map, ListsHostsAndPrograms) {
  EXPECT_EQ(draw_map({"a", "b"}, {0, 1, 0, 1, 1}, {"m", "w", "w", "w", "w"}),
            "a: rank 0 (m); rank 2 (w)\nb: ranks 1,3-4 (w)\n");
}

}  // namespace
}  // namespace cow::launch
