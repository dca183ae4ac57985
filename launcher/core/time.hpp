// Time in the launcher: durations that know their unit, on the monotonic clock. What settings and frames carry is milliseconds.
#pragma once

#include <chrono>

namespace cow::launch {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using Instant = Clock::time_point;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// As poll(2) and its like want it: rounded up, so that nobody wakes too early and turns round.
inline int poll_timeout(Duration left) {
  constexpr milliseconds longest = 1min;
  if (left <= Duration::zero()) return 0;
  return static_cast<int>(left > longest ? longest.count() : std::chrono::ceil<milliseconds>(left).count());
}

}  // namespace cow::launch
