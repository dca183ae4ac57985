// Copies past the caches: of so much that it would not stay there anyway, and of what another processor will read next.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.hpp"

namespace cow::coll::shm {

// Writes to memory without reading what it overwrites there. What is written is in memory, for all processors, when it
// returns.
void copy_past_caches(std::byte* to, const std::byte* from, std::size_t bytes);

// How to write into memory that others read, again and again. Through the caches is best where they are near each other; but
// a line that another processor has read must be taken back from it first, and where its caches are far, on another part of
// the chip, that costs five times the copy. Which of both it is changes while a virtual machine runs, and with where the
// ranks are. So both ways are timed, the one that is not taken now and then, and compared: how fast either is depends on who
// else uses the memory. All writes of a way count, as what was read by ranks on this processor is quick to write over even
// where the caches of the others are far. Somebody else may have had the processor meanwhile: so none counts for more than a
// very slow one, and a way is found to be slower little by little, but faster at once.
class WayOfWriting {
 public:
  static constexpr std::size_t least = 16 << 10;   // bytes of a write that says something
  static constexpr Nanoseconds slowest = 600'000;  // that a write counts for; of a MiB
  static constexpr int together = 8,
                       between = 128;  // writes that are timed together; such times from one trial to the next
  static constexpr int soon = 8;       // of these times, to the first trial: the first writes also bring the pages
  // What goes past the caches must be read from memory, so the write alone has to be that much faster.
  static constexpr int worth = 2;

  bool goes_past_caches() const { return past_; }
  // One such write took so long.
  void wrote(std::size_t bytes, Nanoseconds time) {
    if (bytes < least) return;
    time_ += std::min(time * (1 << 20) / static_cast<Nanoseconds>(bytes), slowest);
    if (++writes_ == together) decide();
  }

 private:
  void decide() {
    Nanoseconds& known = past_ ? past_caches_ : through_caches_;
    known = known == 0 ? time_ : std::min(time_, known + known / 4);
    const bool past_is_better = through_caches_ > worth * past_caches_;
    const bool trial = ++times_ == between;
    if (trial) times_ = 0;
    past_ = past_is_better != trial;
    writes_ = 0;
    time_ = 0;
  }

  bool past_ = false;
  int writes_ = 0;                                    // of the present way, since the last decision
  Nanoseconds time_ = 0;                              // of these, each as if it were of a MiB
  Nanoseconds through_caches_ = 0, past_caches_ = 0;  // what is known of so many writes; 0: nothing, which is tried
  int times_ = between - soon;                        // decisions since the last trial
};

// Bytes of the cache that the processors of a node share.
std::size_t last_cache();

}  // namespace cow::coll::shm
