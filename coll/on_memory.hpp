// Which collectives can be done directly on the memory that the ranks of a node share. Known without any transport, so that
// it can be printed.
#pragma once

#include <cstdint>

#include "coll/collective.hpp"

namespace cow::coll {

inline constexpr int most_ranks_on_memory = 128;

// The measures of a collective that go by memory: up to one, as far as what is given at once has room or where messages are
// slower; and again from another on, where they go in pieces. Less than 0: none.
struct OnMemory {
  static constexpr Count never = INT64_MAX;
  Count most = -1;
  Count from = never;
  bool covers(Count bytes) const { return bytes <= most || bytes >= from; }
};

// `processors` of the node; 0: one for each rank.
OnMemory on_memory(Collective collective, int size, double processors);

}  // namespace cow::coll
