// How long a rank spins, by what it was told and by what it has learnt.
#include "runtime/waiting.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace cow::runtime {
namespace {

int very_many() { return 100 * CPU_SETSIZE; }

TEST(Waiting, OneRankAloneSpinsThenYieldsThenSleeps) {
  decide_waiting_policy(1, 0);
  const WaitingPolicy& policy = waiting_policy();
  EXPECT_FALSE(policy.crowded);
  EXPECT_FALSE(policy.spin_only);
  EXPECT_FALSE(policy.never_sleep);
  EXPECT_GT(policy.spin, 0);
  EXPECT_EQ(policy.spin, policy.spin_limit);
  EXPECT_GT(policy.yield, policy.spin);
}

TEST(Waiting, MoreRanksThanProcessorsDoNotSpin) {
  decide_waiting_policy(very_many(), 3);
  EXPECT_TRUE(waiting_policy().crowded);
  EXPECT_EQ(waiting_policy().spin, 0);
  EXPECT_GT(waiting_policy().spin_limit, 0);
}

TEST(Waiting, SpinsLessWhereOthersWantTheProcessorUntilItDoesNotSpin) {
  decide_waiting_policy(1, 0);
  const Nanoseconds before = waiting_policy().spin;
  adapt_spin(true);
  EXPECT_EQ(waiting_policy().spin, before / 2);
  for (int i = 0; i < 64; ++i) adapt_spin(true);
  EXPECT_EQ(waiting_policy().spin, 0);
}

TEST(Waiting, SpinsMoreAgainWhereNobodyDoesButNotBeyondItsLimit) {
  decide_waiting_policy(very_many(), 0);
  adapt_spin(false);
  EXPECT_GT(waiting_policy().spin, 0);
  for (int i = 0; i < 64; ++i) adapt_spin(false);
  EXPECT_EQ(waiting_policy().spin, waiting_policy().spin_limit);
}

TEST(Waiting, AllowedProcessorsAreAtMostThoseOfTheAffinity) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(allowed_processors(), 1.0);
  EXPECT_LE(allowed_processors(), CPU_COUNT(&before));
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(allowed_processors(), 1.0);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Waiting, WhoMovesMayRunWhereItMightBefore) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  decide_waiting_policy(very_many(), 1);
  find_room = [] { return 0; };
  begin_in_turn();
  for (int i = 0; i < 64; ++i) adapt_spin(true);
  find_room = nullptr;
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

}  // namespace
}  // namespace cow::runtime
