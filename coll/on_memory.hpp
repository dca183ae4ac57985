// Which collectives can be done directly on the memory that the ranks of a node share. Known without any transport, so that
// it can be printed.
#pragma once

#include "coll/collective.hpp"

namespace cow::coll {

inline constexpr int most_ranks_on_memory = 128;

// The largest measure of a collective that goes by memory: the limit of its room, or, where it would go by pieces, what
// was measured to be faster than messages. Less than 0: never. `processors` of the node; 0: one for each rank.
Count most_on_memory(Collective collective, int size, double processors);

}  // namespace cow::coll
