#include "launcher/placement/hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HostList, NamesAndSlots) {
  EXPECT_THAT(parse_host_list("a").list, ElementsAre(Host{"a", 0}));
  EXPECT_THAT(parse_host_list("a:2,b,c.d.example:16").list,
              ElementsAre(Host{"a", 2}, Host{"b", 0}, Host{"c.d.example", 16}));
}

TEST(HostList, AnAddressWithColonsNeedsBracketsForItsSlots) {
  EXPECT_THAT(parse_host_list("fe80::1,[fe80::2]:4,[::1]").list,
              ElementsAre(Host{"fe80::1", 0}, Host{"fe80::2", 4}, Host{"::1", 0}));
}

TEST(HostList, ANameGivenAgainAddsItsSlots) {
  EXPECT_THAT(parse_host_list("a,b,a").list, ElementsAre(Host{"a", 2}, Host{"b", 0}));
  EXPECT_THAT(parse_host_list("a:2,a:3").list, ElementsAre(Host{"a", 5}));
}

TEST(HostList, WhatIsWrongIsSaid) {
  for (const char* text : {"", ",", "a,,b", ":2", "a:", "a:0", "a:-1", "a:x", "a:2x", "a:99999999999", "[::1", "[::1]4",
                           "-oProxyCommand=x"}) {
    EXPECT_NE(parse_host_list(text).error, "") << text;
  }
}

TEST(HostFile, BothDialects) {
  const Hosts hosts = parse_hostfile("# the cluster\n\na slots=4\nb:2   # old one\r\n  c\nd\tslots=1");
  EXPECT_EQ(hosts.error, "");
  EXPECT_THAT(hosts.list, ElementsAre(Host{"a", 4}, Host{"b", 2}, Host{"c", 0}, Host{"d", 1}));
}

TEST(HostFile, AnErrorNamesItsLine) {
  EXPECT_THAT(parse_hostfile("a\nb slots=x\n").error, HasSubstr("line 2"));
  EXPECT_EQ(parse_hostfile("a\nb slots=4 max_slots=2\n").error, "line 2: 4 slots are more than max_slots=2");
  EXPECT_EQ(parse_hostfile("a max_slots=0\n").error, "line 1: 'max_slots=0': expected at least one slot");
  EXPECT_THAT(parse_hostfile("a\nb\n\n-x\n").error, HasSubstr("line 4"));
  EXPECT_EQ(parse_hostfile("# nothing\n").error, "line 1: it ends here, and names no host");
  EXPECT_EQ(parse_hostfile("").error, "line 1: the file is empty");
  EXPECT_EQ(parse_hostfile("\xef\xbb\xbf").error, "line 1: the file is empty");
  EXPECT_EQ(parse_hostfile(std::string("a\0b\n", 4)).error, "line 1: this is no text");
  EXPECT_THAT(parse_hostfile(std::string("\xff\xfe"
                                         "a\0",
                                         4))
                  .error,
              HasSubstr("line 1: UTF-16"));
  EXPECT_EQ(parse_hostfile("a\nb slots =\n").error, "line 2: 'slots=': expected at least one slot");
  EXPECT_EQ(parse_hostfile("a\nb user = me\n").error, "line 2: 'user=me' is not known (known: slots=, max_slots=)");
}

TEST(HostFile, BlanksAroundTheSignAndAMarkAtTheBeginningDoNoHarm) {
  const Hosts hosts = parse_hostfile(
      "\xef\xbb\xbf"
      "a slots = 2\r\nb slots= 3\r\nc slots =4\r\n");
  EXPECT_EQ(hosts.error, "");
  EXPECT_THAT(hosts.list, ElementsAre(Host{"a", 2}, Host{"b", 3}, Host{"c", 4}));
}

TEST(HostFile, ANameIsAName) {
  EXPECT_THAT(parse_hostfile("me@a.example\n").list, ElementsAre(Host{"me@a.example", 0}));
  for (const char* name : {"a@b@c", "@a", "a@", "me@-a", "-me@a", "a=b", "a\x01", "a,b", "a;b", "slots=4", "'a'"}) {
    EXPECT_THAT(parse_hostfile(std::string("x\n") + name + "\n").error, HasSubstr("line 2: ")) << name;
  }
  EXPECT_NE(parse_host_list("a@b@c").error, "");
}

TEST(Placement, SlotsAreFilledInOrder) {
  EXPECT_THAT(place_ranks({{"a", 2}, {"b", 2}}, 3, false, "").host_of_rank, ElementsAre(0, 0, 1));
  EXPECT_THAT(place_ranks({{"a", 1}, {"b", 3}}, 4, false, "").host_of_rank, ElementsAre(0, 1, 1, 1));
}

TEST(Placement, WithoutCountsThereIsNoLimitAndRanksStayTogether) {
  EXPECT_THAT(place_ranks({{"a", 0}, {"b", 0}}, 5, false, "").host_of_rank, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(place_ranks({{"a", 0}}, 200, false, "").host_of_rank.size(), 200u);
}

TEST(Placement, ALimitThatIsExceededNamesItsSource) {
  const Placement refused = place_ranks({{"a", 2}, {"b", 1}}, 4, false, "the hostfile cluster");
  EXPECT_THAT(refused.error, HasSubstr("the hostfile cluster"));
  EXPECT_THAT(refused.error, HasSubstr("3 slots (a:2, b:1)"));
  EXPECT_THAT(place_ranks({{"a", 2}, {"b", 1}}, 7, true, "").host_of_rank, ElementsAre(0, 0, 0, 0, 0, 1, 1));
}

TEST(Placement, OneToEachHostInTurn) {
  const Spread by_node{true, true, 0};
  EXPECT_THAT(place_ranks({{"a", 0}, {"b", 0}}, 5, false, "", by_node).host_of_rank, ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(place_ranks({{"a", 1}, {"b", 3}}, 4, false, "", by_node).host_of_rank, ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(place_ranks({{"a", 1}, {"b", 1}}, 4, true, "", by_node).host_of_rank, ElementsAre(0, 1, 0, 1));
  EXPECT_NE(place_ranks({{"a", 1}, {"b", 1}}, 4, false, "", by_node).error, "");
}

TEST(Placement, NumbersMayFollowAnotherOrderThanCounts) {
  EXPECT_THAT(place_ranks({{"a", 2}, {"b", 2}}, 4, false, "", {false, true, 0}).host_of_rank, ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(place_ranks({{"a", 0}, {"b", 0}}, 5, false, "", {true, false, 0}).host_of_rank,
              ElementsAre(0, 0, 0, 1, 1));
}

TEST(Placement, SoManyOnEachHost) {
  EXPECT_THAT(place_ranks({{"a", 0}, {"b", 0}}, 4, false, "", {false, false, 2}).host_of_rank, ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(place_ranks({{"a", 8}, {"b", 8}}, 3, false, "", {false, false, 2}).host_of_rank, ElementsAre(0, 0, 1));
  EXPECT_THAT(place_ranks({{"a", 0}}, 3, false, "", {false, false, 2}).error, HasSubstr("2 on each host"));
  EXPECT_THAT(place_ranks({{"a", 1}}, 2, false, "--host", {false, false, 2}).error, HasSubstr("1 slot"));
}

// The example of Open MPI's mpirun(1).
TEST(Placement, WhatMaxSlotsSaysIsNotLifted) {
  const Hosts hosts = parse_hostfile("aa slots=4 max_slots=4\nbb         max_slots=4\ncc slots=4\n");
  EXPECT_THAT(hosts.list, ElementsAre(Host{"aa", 4, 4}, Host{"bb", 4, 4}, Host{"cc", 4, 0}));
  const Placement placed = place_ranks(hosts.list, 14, true, "");
  EXPECT_EQ(std::count(placed.host_of_rank.begin(), placed.host_of_rank.end(), 2u), 6);
  EXPECT_EQ(placed.host_of_rank.size(), 14u);
  EXPECT_THAT(place_ranks({{"a", 2, 3}}, 4, true, "the hostfile f").error, HasSubstr("max_slots in the hostfile f"));
  EXPECT_THAT(place_ranks({{"a", 1, 2}, {"b", 1, 0}}, 6, true, "", {true, true, 0}).host_of_rank,
              ElementsAre(0, 1, 0, 1, 1, 1));
}

TEST(HostFile, AHostListChoosesOfIt) {
  const std::vector<Host> file{{"a", 4}, {"b", 2}, {"c", 0}};
  EXPECT_THAT(choose_hosts(file, {{"b", 0}, {"a", 1}}, "f").list, ElementsAre(Host{"a", 1}, Host{"b", 2}));
  EXPECT_EQ(choose_hosts(file, {{"d", 0}}, "the hostfile f").error, "d is not in the hostfile f");
}

TEST(ThisHost, IsKnownByNameAndAddress) {
  EXPECT_TRUE(is_this_host("localhost"));
  EXPECT_TRUE(is_this_host("127.0.0.1"));
  EXPECT_TRUE(is_this_host(this_host()));
  EXPECT_FALSE(is_this_host("192.0.2.1"));
  EXPECT_FALSE(is_this_host(this_host() + "x"));
}

}  // namespace
}  // namespace cow::launch
