// Copies past the caches: of so much that it would not stay there anyway, and of what another processor will read next.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.hpp"

namespace cow::coll {

// Writes to memory without reading what it overwrites there. What is written is in memory, for all processors, when it
// returns.
void copy_past_caches(std::byte* to, const std::byte* from, std::size_t bytes);

// How to write into memory that others read, again and again. Through the caches is best where they are near each other; but
// a line that another processor has read must be taken back from it first, and where its caches are far, on another part of
// the chip, that costs five times the copy. Which of both it is changes while a virtual machine runs, and with where the
// ranks are; so it is found out by the time that writing takes: when the fastest of some writes was slow, the next many go
// past the caches, which costs the same everywhere.
class WayOfWriting {
 public:
  static constexpr std::size_t least = 16 << 10;     // bytes of a write that says something
  static constexpr Nanoseconds slow = 90'000;        // for a MiB
  static constexpr int tried = 8, past_caches = 1024;  // writes

  bool goes_past_caches() const { return left_ > 0; }
  // One such write took so long.
  void wrote(std::size_t bytes, Nanoseconds time) {
    if (bytes < least) return;
    if (left_ > 0) {
      --left_;
      return;
    }
    const Nanoseconds a_mib = time * (1 << 20) / static_cast<Nanoseconds>(bytes);
    fastest_ = writes_ == 0 ? a_mib : std::min(fastest_, a_mib);
    if (++writes_ < tried) return;
    writes_ = 0;
    if (fastest_ > slow) left_ = past_caches;
  }

 private:
  int left_ = 0;    // writes that go past the caches
  int writes_ = 0;  // of those that are tried
  Nanoseconds fastest_ = 0;
};

// Bytes of the cache that the processors of a node share.
std::size_t last_cache();

}  // namespace cow::coll
