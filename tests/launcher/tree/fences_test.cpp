#include "launcher/tree/fences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pmix_common.h>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Answered {
  std::uint32_t node;
  std::uint64_t number;
  int status;
  std::string data;
  bool operator==(const Answered&) const = default;
};

struct Arrival {
  std::uint64_t number;
  std::vector<std::uint32_t> ranks;
  std::string data;
  bool operator==(const Arrival&) const = default;
};

class FencesTest : public testing::Test {
 protected:
  FencesTest() { job_.ranks = {{0, 0}, {0, 0}, {1, 0}, {2, 0}}; }
  Fences::Callbacks callbacks() {
    Fences::Callbacks out;
    out.answer = [this](std::uint32_t who, std::uint64_t number, int status, const std::string& data) {
      answers_.push_back({who, number, status, data});
    };
    out.arrive = [this](std::uint64_t number, const std::vector<std::uint32_t>& ranks, const std::string& data) {
      arrivals_.push_back({number, ranks, data});
    };
    return out;
  }

  Job job_;
  std::vector<Answered> answers_;
  std::vector<Arrival> arrivals_;
  Routes flat_{{no_node, no_node, no_node}, no_node};
  Fences fences_{job_, flat_, no_node, callbacks()};  // of a root with three children
  Routes below_one_{{no_node, no_node, 1}, 1};
  Fences inner_{job_, below_one_, 1, callbacks()};  // of node 1, which is the parent of node 2
};

TEST_F(FencesTest, AllNodesGetTheDataOfAllWhenTheLastHasArrived) {
  fences_.arrive(0, 7, {}, "a");
  fences_.arrive(2, 9, {}, "c");
  EXPECT_TRUE(answers_.empty());
  fences_.arrive(1, 8, {}, "b");
  EXPECT_THAT(answers_, UnorderedElementsAre(Answered{0, 7, PMIX_SUCCESS, "acb"}, Answered{1, 8, PMIX_SUCCESS, "acb"},
                                             Answered{2, 9, PMIX_SUCCESS, "acb"}));
}

TEST_F(FencesTest, GroupsDoNotMixAndTheirOrderOfRanksDoesNotMatter) {
  fences_.arrive(0, 1, {2, 1}, "");
  fences_.arrive(0, 2, {0, 3}, "");
  fences_.arrive(1, 3, {1, 2}, "");
  EXPECT_THAT(answers_, UnorderedElementsAre(Answered{0, 1, PMIX_SUCCESS, ""}, Answered{1, 3, PMIX_SUCCESS, ""}));
}

TEST_F(FencesTest, ANodeThatIsAheadBeginsTheNextFence) {
  fences_.arrive(0, 1, {0, 2}, "x");
  fences_.arrive(0, 2, {0, 2}, "y");
  fences_.arrive(1, 1, {0, 2}, "");
  EXPECT_EQ(answers_.size(), 2u);
  fences_.arrive(1, 2, {0, 2}, "");
  EXPECT_EQ(answers_.size(), 4u);
  EXPECT_EQ(answers_[0].data, "x");
  EXPECT_EQ(answers_[2].data, "y");
}

TEST_F(FencesTest, ARankThatIsGoneFailsWhatWaitsForItsNode) {
  fences_.arrive(0, 1, {}, "");
  fences_.rank_gone(3);
  EXPECT_THAT(answers_, ElementsAre(Answered{0, 1, PMIX_ERR_PROC_TERM_WO_SYNC, ""}));
  answers_.clear();
  fences_.arrive(1, 2, {2, 3}, "");
  EXPECT_THAT(answers_, ElementsAre(Answered{1, 2, PMIX_ERR_PROC_TERM_WO_SYNC, ""}));
  answers_.clear();
  fences_.arrive(0, 3, {0, 2}, "");
  fences_.arrive(1, 3, {0, 2}, "");
  EXPECT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_[0].status, PMIX_SUCCESS);
}

TEST_F(FencesTest, AnInnerMemberArrivesOnceForAllBelowIt) {
  inner_.arrive(2, 7, {}, "c");
  EXPECT_THAT(arrivals_, IsEmpty());
  inner_.arrive(1, 8, {}, "b");
  ASSERT_THAT(arrivals_, ElementsAre(Arrival{1, {}, "cb"}));
  EXPECT_THAT(answers_, IsEmpty());
  inner_.answered(1, PMIX_SUCCESS, "acb");
  EXPECT_THAT(answers_, UnorderedElementsAre(Answered{1, 8, PMIX_SUCCESS, "acb"}, Answered{2, 7, PMIX_SUCCESS, "acb"}));
  inner_.answered(1, PMIX_SUCCESS, "once more");
  inner_.answered(99, PMIX_SUCCESS, "never asked");
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(FencesTest, AFenceOfThoseBelowAMemberStaysThere) {
  inner_.arrive(2, 7, {3, 2}, "c");
  inner_.arrive(1, 8, {2, 3}, "b");
  EXPECT_THAT(arrivals_, IsEmpty());
  EXPECT_THAT(answers_, UnorderedElementsAre(Answered{1, 8, PMIX_SUCCESS, "cb"}, Answered{2, 7, PMIX_SUCCESS, "cb"}));
}

TEST_F(FencesTest, AnInnerMemberTakesPartForOthersOnly) {
  inner_.arrive(2, 7, {0, 3}, "c");
  ASSERT_THAT(arrivals_, ElementsAre(Arrival{1, {0, 3}, "c"}));
  inner_.answered(1, PMIX_ERR_PROC_TERM_WO_SYNC, "");
  EXPECT_THAT(answers_, ElementsAre(Answered{2, 7, PMIX_ERR_PROC_TERM_WO_SYNC, ""}));
}

TEST_F(FencesTest, ARankThatIsGoneBelowAnInnerMemberFailsWhatWaitsForIt) {
  inner_.arrive(1, 8, {}, "");
  inner_.rank_gone(3);
  EXPECT_THAT(answers_, ElementsAre(Answered{1, 8, PMIX_ERR_PROC_TERM_WO_SYNC, ""}));
  EXPECT_THAT(arrivals_, IsEmpty());
}

}  // namespace
}  // namespace cow::launch
