#include "launcher/fences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pmix_common.h>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

struct Answered {
  std::uint32_t node;
  std::uint64_t number;
  int status;
  std::string data;
  bool operator==(const Answered&) const = default;
};

class FencesTest : public testing::Test {
 protected:
  FencesTest() { job_.ranks = {{0, 0}, {0, 0}, {1, 0}, {2, 0}}; }
  Job job_;
  std::vector<Answered> answers_;
  Fences fences_{job_, [this](std::uint32_t node, std::uint64_t number, int status, const std::string& data) {
                   answers_.push_back({node, number, status, data});
                 }};
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

}  // namespace
}  // namespace cow::launch
