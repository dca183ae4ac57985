#include "coll/execute/shm/streaming.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace cow::coll::shm {
namespace {

TEST(Streaming, CopiesWhateverTheEnds) {
  std::vector<std::byte> from(3000), to(3000);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 37 + i / 256);
  for (const std::size_t size : {0, 1, 63, 64, 65, 130, 1000, 2500})
    for (const std::size_t source : {0, 1, 17})
      for (const std::size_t target : {0, 3, 33, 63}) {
        std::fill(to.begin(), to.end(), std::byte{0xee});
        copy_past_caches(to.data() + target, from.data() + source, size);
        EXPECT_EQ(std::memcmp(to.data() + target, from.data() + source, size), 0)
            << size << ' ' << source << ' ' << target;
        EXPECT_EQ(to[target + size], std::byte{0xee});
        EXPECT_TRUE(target == 0 || to[target - 1] == std::byte{0xee});
      }
}

constexpr int window = WayOfWriting::together;

// Writes as long as it takes until so many times have been found; a MiB through the caches takes `through`, past them `past`.
void write(WayOfWriting& way, int times, Nanoseconds through, Nanoseconds past) {
  constexpr std::size_t size = 256 << 10;
  for (int i = 0; i < times * window; ++i) way.wrote(size, (way.goes_past_caches() ? past : through) / 4);
}

// How many of the next writes go past the caches.
int past_of(WayOfWriting& way, int writes, Nanoseconds through, Nanoseconds past) {
  int out = 0;
  for (int i = 0; i < writes; ++i) {
    out += way.goes_past_caches();
    way.wrote(1 << 20, way.goes_past_caches() ? past : through);
  }
  return out;
}

TEST(WayOfWriting, TakesTheOneThatIsWorthIt) {
  constexpr int many = 10 * WayOfWriting::between * window, trials = 11 * window;
  WayOfWriting near, far, even;
  EXPECT_EQ(past_of(near, many, 30'000, 50'000), trials);
  EXPECT_EQ(past_of(far, many, 300'000, 50'000), many - trials);
  EXPECT_EQ(past_of(even, many, 90'000, 50'000), trials);  // but it must be read from memory, too
}

TEST(WayOfWriting, SlowFirstWritesAreForgottenSoon) {
  WayOfWriting way;
  write(way, 1, 500'000, 50'000);
  EXPECT_TRUE(way.goes_past_caches());
  write(way, WayOfWriting::soon, 30'000, 50'000);
  EXPECT_FALSE(way.goes_past_caches());
}

TEST(WayOfWriting, FindsOutWhenItChanges) {
  WayOfWriting way;
  write(way, 5, 30'000, 50'000);
  EXPECT_FALSE(way.goes_past_caches());
  write(way, 10, 400'000, 50'000);
  EXPECT_TRUE(way.goes_past_caches());
  write(way, WayOfWriting::between, 30'000, 50'000);
  EXPECT_FALSE(way.goes_past_caches());
}

// Half of the lines come from caches nearby.
TEST(WayOfWriting, CountsAllWrites) {
  WayOfWriting way;
  for (int i = 0; i < 4 * window; ++i) way.wrote(32 << 10, way.goes_past_caches() || i % 2 == 0 ? 1'500 : 12'500);
  EXPECT_TRUE(way.goes_past_caches());
}

// Now and then by a single one, and seldom by as many as are timed together.
TEST(WayOfWriting, IsNotMisledByInterruptions) {
  WayOfWriting near, far;
  constexpr int many = 20 * WayOfWriting::between * window;
  int past_near = 0, past_far = 0;
  for (int i = 0; i < many; ++i) {
    const bool interrupted = i % 40 == 7 || i % (30 * window) < window;
    past_near += past_of(near, 1, interrupted ? 10'000'000 : 40'000, interrupted ? 10'000'000 : 50'000);
    past_far += past_of(far, 1, interrupted ? 10'000'000 : 400'000, interrupted ? 10'000'000 : 50'000);
  }
  EXPECT_LT(past_near, many / 50);
  EXPECT_GT(past_far, many - many / 50);
}

TEST(WayOfWriting, ShortWritesSayNothing) {
  WayOfWriting way;
  for (int i = 0; i < 2 * window; ++i) way.wrote(WayOfWriting::least - 1, 1'000'000);
  EXPECT_FALSE(way.goes_past_caches());
}

}  // namespace
}  // namespace cow::coll::shm
