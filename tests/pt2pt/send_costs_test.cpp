// What `auto` chooses, on an imagined machine: a byte moves in 0.2 ns, is copied in 0.1 (0.5 into fresh memory), is read from
// a snapshot in 0.3; a snapshot takes 500 us and 0.01 ns for each byte in memory.
#include "pt2pt/send_costs.hpp"

#include <gtest/gtest.h>

namespace cow::pt2pt {
namespace {

constexpr SendCosts costs{
    .alpha = 1, .beta = 0.0002, .keep = 0.0001, .fresh = 0.0005, .snapshot = 500, .resident = 0.00001, .kept = 0.0003};
constexpr std::size_t kibibyte = 1 << 10, mebibyte = 1 << 20;

BufferRelease choose(std::size_t size, double lateness, double pause, std::size_t resident = 0) {
  return choose_buffer_release(
      costs, {.size = size, .resident = resident ? resident : size, .lateness = lateness, .pause = pause});
}

TEST(SendCosts, WhoWaitsForTheAnswerKeepsNothing) {
  for (std::size_t size = 16 * kibibyte; size <= 256 * mebibyte; size *= 4)
    EXPECT_EQ(choose(size, 0, 0), BufferRelease::notify) << size;
}

TEST(SendCosts, WhoComputesAfterwardsDoesNotWaitForALateReceiver) {
  for (std::size_t size = 16 * kibibyte; size <= 256 * mebibyte; size *= 4) {
    EXPECT_NE(choose(size, 1e6, 1e6), BufferRelease::notify) << size;
    EXPECT_NE(choose(size, Expected::unknown, Expected::unknown), BufferRelease::notify) << size;
  }
}

TEST(SendCosts, AMessageIsCopiedWhileThatIsCheaperThanASnapshot) {
  EXPECT_EQ(choose(mebibyte, 0, 1e6), BufferRelease::copy);
  EXPECT_EQ(choose(4 * mebibyte, 0, 1e6), BufferRelease::copy);
  EXPECT_EQ(choose(16 * mebibyte, 0, 1e6), BufferRelease::cow);
  EXPECT_EQ(choose(256 * mebibyte, 0, 1e6), BufferRelease::cow);
  // A snapshot of a process with 1 GiB in memory takes 11 ms.
  EXPECT_EQ(choose(16 * mebibyte, 0, 1e6, 1024 * mebibyte), BufferRelease::copy);
  EXPECT_EQ(choose(256 * mebibyte, 0, 1e6, 1024 * mebibyte), BufferRelease::cow);
}

// Over a network a message that was kept leaves when the program is in MPI again: nothing is gained by keeping it, but that
// the buffer is given back.
TEST(SendCosts, WhatDoesNotMoveAloneIsKeptWhereThatCostsNextToNothing) {
  SendCosts far = costs;
  far.alone = false;
  const auto choose_far = [&](std::size_t size, double lateness, double pause) {
    return choose_buffer_release(far, {.size = size, .resident = size, .lateness = lateness, .pause = pause});
  };
  const double message = 1 + 0.0002 * 64 * mebibyte;
  EXPECT_NEAR(predict(BufferRelease::copy, far, {.size = mebibyte, .lateness = 0, .pause = 400}), 105 + 400 + 1 + 210,
              1);
  EXPECT_EQ(choose_far(64 * kibibyte, 0, 1000), BufferRelease::copy);
  EXPECT_EQ(choose_far(64 * mebibyte, 0, message), BufferRelease::notify);
  EXPECT_NE(choose_far(64 * mebibyte, 1e5, 1e5), BufferRelease::notify);
}

TEST(SendCosts, PredictsWhenAllIsDone) {
  const Expected late{.size = mebibyte, .resident = mebibyte, .lateness = 1000, .pause = 400};
  const double transfer = 1 + 0.0002 * mebibyte;
  EXPECT_NEAR(predict(BufferRelease::notify, costs, late), 1000 + transfer + 400, 0.1);
  EXPECT_NEAR(predict(BufferRelease::copy, costs, late), 1000 + transfer, 0.1);
  EXPECT_NEAR(predict(BufferRelease::cow, costs, late), 1000 + 1 + 0.0003 * mebibyte, 0.1);
}

}  // namespace
}  // namespace cow::pt2pt
