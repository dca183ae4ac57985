// Rings of memory in which a rank lays what does not fit into a slot: runs of bytes, taken in turn from a ring that only this
// rank writes to. So it can be ahead of the others by four of the longest runs, or by as many as there are slots with short
// ones, and a rank that publishes seldom finds its ring free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cow::coll::shm {

template <std::uint32_t ring, std::uint32_t longest, std::uint32_t grain>
class Ring {
 public:
  using Number = std::uint32_t;
  static constexpr std::uint32_t bytes = ring, most = longest, granule = grain;

  // Where the next run of so many bytes begins.
  std::uint32_t next(std::size_t n) const { return start_of(length(n)) % bytes; }
  bool fit(std::size_t n) const { return start_of(length(n)) + length(n) - released_ <= bytes; }
  void take(std::size_t n, Number round) {
    end_ = start_of(length(n)) + length(n);
    taken_[(first_ + count_++) % taken_.size()] = {round, end_};
  }

  // All have left the rounds before this one.
  void release_until(Number round) {
    for (; count_ > 0 && static_cast<std::int32_t>(taken_[first_].round - round) < 0; --count_) {
      released_ = taken_[first_].end;
      first_ = (first_ + 1) % taken_.size();
    }
  }

  // The round that all must have left before so many bytes fit, where they do not: before the next run of n bytes can be
  // taken, or a run as long as half of the ring.
  Number blocked_by(std::size_t n) const { return last_within(start_of(length(n)) + length(n) - bytes); }
  Number blocked_half_by(std::size_t n) const {
    const std::uint32_t enough = start_of(length(n)) + length(n) - bytes, half = end_ - bytes / 2;
    return last_within(static_cast<std::int32_t>(half - enough) > 0 ? half : enough);
  }

 private:
  struct Taken {
    Number round;
    std::uint32_t end;
  };

  // All counts of bytes go on for ever, and around at 2^32.
  static std::uint32_t length(std::size_t n) {
    return (static_cast<std::uint32_t>(n) + granule - 1) / granule * granule;
  }
  std::uint32_t start_of(std::uint32_t length) const {
    const std::uint32_t left = bytes - end_ % bytes;
    return left < length ? end_ + left : end_;
  }
  // The first round whose run ends there or behind.
  Number last_within(std::uint32_t end) const {
    std::size_t i = 0;
    while (i + 1 < count_ && static_cast<std::int32_t>(taken_[(first_ + i) % taken_.size()].end - end) < 0) ++i;
    return taken_[(first_ + i) % taken_.size()].round;
  }

  std::uint32_t end_ = 0;
  std::uint32_t released_ = 0;
  std::size_t first_ = 0, count_ = 0;
  std::array<Taken, bytes / granule> taken_{};
};

// 4 KiB, and a length for each rank.
using SmallRing = Ring<20480, 4608, 64>;
// The ring is as large as a cache of one processor on purpose: what was written is no longer in the nearest cache of those
// who have read it when it is written again, and need not be taken back from there.
using LargeRing = Ring<1 << 20, 256 << 10, 4096>;

}  // namespace cow::coll::shm
