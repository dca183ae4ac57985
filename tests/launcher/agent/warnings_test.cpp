// Which warnings of a resource manager are passed on to the ranks.
#include "launcher/agent/warnings.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <vector>

namespace cow::launch {
namespace {

class WarningsTest : public testing::Test {
 protected:
  std::vector<int> passed_on() {
    loop_.after(400ms, [this] { loop_.stop(); });
    loop_.run();
    return std::exchange(passed_on_, {});
  }

  Loop loop_;
  std::vector<int> passed_on_;
  Warnings warnings_{loop_, [this](int signal) { passed_on_.push_back(signal); }};
};

TEST_F(WarningsTest, FromOneSideItIsForTheRanks) {
  warnings_.take(SIGUSR1, true);
  warnings_.take(SIGUSR2, false);
  EXPECT_EQ(passed_on(), (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST_F(WarningsTest, FromBothSidesTheRanksHaveItAlready) {
  warnings_.take(SIGUSR1, false);
  warnings_.take(SIGUSR1, true);
  EXPECT_EQ(passed_on(), std::vector<int>());
}

TEST_F(WarningsTest, TheNextOneCountsAnew) {
  warnings_.take(SIGUSR1, false);
  warnings_.take(SIGUSR1, false);
  EXPECT_EQ(passed_on(), std::vector<int>{SIGUSR1});
  warnings_.take(SIGUSR1, true);
  EXPECT_EQ(passed_on(), std::vector<int>{SIGUSR1});
}

}  // namespace
}  // namespace cow::launch
