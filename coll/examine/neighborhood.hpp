// Neighbourhood collectives on an imagined machine.
#pragma once

#include "coll/examine/setting.hpp"

namespace cow::coll {

// Of one rank. The neighbours are those along the wires of the layout: up and down each dimension, around where the
// layout wraps (but for a hypercube's). Without wires each rank sends to the next twice, to itself, and to the one
// half-way round.
RankSetting neighbour_setting(const Case& c, int rank);

}  // namespace cow::coll
