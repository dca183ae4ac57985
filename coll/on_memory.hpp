// Which collectives can be done directly on the memory that the ranks of a node share. Known without any transport, so that
// it can be printed.
#pragma once

#include <cstdint>

#include "coll/core/collective.hpp"

namespace cow::coll {

inline constexpr int most_ranks_on_memory = 128;
inline constexpr int most_ranks_with_halls = 32;  // more would take more memory than the caches hold

inline constexpr Count any_size = INT64_MAX;

// The largest measure of a collective that goes by memory; less than 0: none. `processors` of the node; 0: one for each rank.
Count most_on_memory(Collective collective, int size, double processors);

// The longest part of a collective of several nodes that goes by memory, where the largest has so many ranks.
Count most_of_parts(int largest);

}  // namespace cow::coll
