#include "coll/streaming.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace cow::coll {
namespace {

TEST(Streaming, CopiesWhateverTheEnds) {
  std::vector<std::byte> from(3000), to(3000);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 37 + i / 256);
  for (const std::size_t size : {0, 1, 63, 64, 65, 130, 1000, 2500})
    for (const std::size_t source : {0, 1, 17})
      for (const std::size_t target : {0, 3, 33, 63}) {
        std::fill(to.begin(), to.end(), std::byte{0xee});
        copy_past_caches(to.data() + target, from.data() + source, size);
        EXPECT_EQ(std::memcmp(to.data() + target, from.data() + source, size), 0) << size << ' ' << source << ' ' << target;
        EXPECT_EQ(to[target + size], std::byte{0xee});
        EXPECT_TRUE(target == 0 || to[target - 1] == std::byte{0xee});
      }
}

constexpr Nanoseconds quick = WayOfWriting::slow / 3, slow = 2 * WayOfWriting::slow;  // a MiB

void write(WayOfWriting& way, int times, Nanoseconds a_mib) {
  constexpr std::size_t size = 256 << 10;
  for (int i = 0; i < times; ++i) way.wrote(size, a_mib / 4);
}

TEST(WayOfWriting, StaysInTheCachesWhileAnyWriteIsQuick) {
  WayOfWriting way;
  for (int i = 0; i < 20; ++i) {
    write(way, WayOfWriting::tried - 1, slow);  // somebody else had the processor
    write(way, 1, quick);
    EXPECT_FALSE(way.goes_past_caches());
  }
}

TEST(WayOfWriting, GoesPastTheCachesForAWhileWhenAllAreSlow) {
  WayOfWriting way;
  for (int round = 0; round < 3; ++round) {
    write(way, WayOfWriting::tried - 1, slow);
    EXPECT_FALSE(way.goes_past_caches());
    write(way, 1, slow);
    EXPECT_TRUE(way.goes_past_caches());
    write(way, WayOfWriting::past_caches - 1, quick);
    EXPECT_TRUE(way.goes_past_caches());
    write(way, 1, quick);
    EXPECT_FALSE(way.goes_past_caches());
  }
  write(way, WayOfWriting::tried, quick);  // the ranks have moved together
  EXPECT_FALSE(way.goes_past_caches());
}

TEST(WayOfWriting, ShortWritesSayNothing) {
  WayOfWriting way;
  for (int i = 0; i < 100; ++i) way.wrote(WayOfWriting::least - 1, 1'000'000);
  EXPECT_FALSE(way.goes_past_caches());
}

}  // namespace
}  // namespace cow::coll
