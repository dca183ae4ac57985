// What can be done on the memory that the ranks of a node share. Known without any transport, so that the choice of a way,
// cowinfo and the examiner can use it.
#pragma once

#include <algorithm>

#include "coll/core/collective.hpp"
#include "coll/shm/slots.hpp"

namespace cow::coll::shm {

inline constexpr int most_ranks = 128;
inline constexpr int most_ranks_with_large_rings = 32;  // more would take more memory than the caches hold

// What there is for so many ranks of a node, as far as the system has the memory.
inline Memory memory_for(int ranks) {
  if (ranks < 2 || ranks > most_ranks) return Memory::none;
  return ranks <= most_ranks_with_large_rings ? Memory::large_rings : Memory::buffers;
}

// The most that a rank can publish in one round; less than 0: there is no memory.
inline Count most_published(Memory memory) {
  switch (memory) {
    case Memory::slots: return Slots::small_bytes;
    case Memory::buffers: return Slots::buffer_bytes;
    case Memory::large_rings: return Slots::large_bytes;
    default: return -1;
  }
}

// Whether parts of collectives of several nodes can be so long.
inline bool parts_fit(Memory memory, Count longest) {
  return memory == Memory::large_rings || longest <= most_published(memory);
}

// What is published in one round of a way that takes only one (or two), where long vectors go in pieces: more would come out
// of the nearest caches before it is combined.
inline constexpr Count most_at_once = Slots::buffer_bytes;

// Whether each rank can publish `bytes` in a single round, by a way that is meant for that.
inline bool fits_at_once(const Problem& p, Count bytes) {
  return bytes <= std::min(most_at_once, most_published(p.memory));
}
inline bool has_large_rings(const Problem& p) { return p.memory == Memory::large_rings; }

// Ranks to a processor; at least 1.
inline double turns(int size, double processors) { return processors > 0 ? std::max(1.0, size / processors) : 1.0; }
inline double turns(const Problem& p) { return turns(p.size, p.processors); }

// Measured with 2, 4 and 8 ranks on two processors:
// Whether pieces of vectors should be divided among the ranks: else one rank combines what all published. It takes each rank
// three copies to divide them, and the one as many as there are ranks.
inline bool many_at_work(const Problem& p) { return p.size > 3 * turns(p); }
// Whether they had better not all meet for every piece, as many share a processor.
inline bool by_one_rank(const Problem& p) { return turns(p) > 2 && !many_at_work(p); }
// Whether a root that copies everything is as fast as many that copy at once, which they do by messages.
inline bool few_at_work(int size, double processors) {
  return std::min<double>(size, processors > 0 ? processors : size) <= 4;
}

}  // namespace cow::coll::shm
