#include "launcher/mpirun/soft.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint32_t> parse(const char* text, std::uint32_t most) {
  std::vector<std::uint32_t> out;
  EXPECT_EQ(parse_soft(text, most, out), "") << text;
  return out;
}

TEST(Soft, TripletsAsInFortran) {
  EXPECT_THAT(parse("3", 8), ElementsAre(3));
  EXPECT_THAT(parse("2:5", 8), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(parse("1:8:3", 8), ElementsAre(1, 4, 7));
  EXPECT_THAT(parse("8:1:-3", 8), ElementsAre(2, 5, 8));
  EXPECT_THAT(parse("16,2,4:5,4", 16), ElementsAre(2, 4, 5, 16));
}

TEST(Soft, WhatIsOutOfRangeIsLeftOut) {
  EXPECT_THAT(parse("-5:3", 8), ElementsAre(1, 2, 3));
  EXPECT_THAT(parse("-5:8:4", 8), ElementsAre(3, 7));
  EXPECT_THAT(parse("6:1000000000", 8), ElementsAre(6, 7, 8));
  EXPECT_THAT(parse("0:4:2", 8), ElementsAre(2, 4));
}

TEST(Soft, WhatIsWrongIsSaid) {
  std::vector<std::uint32_t> out;
  for (const char* text :
       {"", "a", "1:", "1:2:", "1:2:3:4", "1:4:0", "4:1", "1:4:-1", "1,,2", "1 2", "99999999999999:1:-1"}) {
    EXPECT_THAT(parse_soft(text, 8, out), HasSubstr("expected counts")) << text;
  }
  EXPECT_THAT(parse_soft("9:12", 8, out), HasSubstr("no count from 1 to 8 is among these"));
}

TEST(Soft, TheLargestThatCanBePlaced) {
  EXPECT_THAT(choose_counts({{8, {1, 2, 4, 8}}}, 5), ElementsAre(4));
  EXPECT_THAT(choose_counts({{8, {1, 2, 4, 8}}}, 0), ElementsAre(8));
  EXPECT_THAT(choose_counts({{8, {6, 8}}}, 5), ElementsAre(6));  // which is refused where it is placed
  EXPECT_THAT(choose_counts({{8, {2, 4, 8}}, {2, {}}, {4, {1, 2, 4}}}, 8), ElementsAre(4, 2, 2));
}

}  // namespace
}  // namespace cow::launch
