// Time. Everything that waits or measures uses the monotonic clock, in nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace cow {

using Nanoseconds = std::int64_t;

inline Nanoseconds now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * Nanoseconds{1'000'000'000} + t.tv_nsec;
}

inline constexpr Nanoseconds microsecond = 1'000;
inline constexpr Nanoseconds millisecond = 1'000'000;
inline constexpr Nanoseconds second = 1'000'000'000;

}  // namespace cow
