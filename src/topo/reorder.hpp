// `reorder`: who gets which rank of a new communicator, so that neighbours are near each other.
#pragma once

#include <vector>

#include "objects/comm.hpp"
#include "topo/mapping.hpp"

namespace cow::topo {

// members[k] = the rank of `old` that becomes rank k. Collective; rank 0 decides
// (only there must `edges` be filled in), and all get the same. `members` has as many numbers as there are vertices.
Error choose_members(Comm& old, const Edges& edges, const Shape& shape, std::vector<int>& members);

// The same without talking to anybody, from what each rank knows of the others: the nodes they are on.
std::vector<int> guess_members(const Comm& old, const Edges& edges, const Shape& shape);

// Nobody moves.
std::vector<int> same_members(int count);

// k with members[k] = rank; MPI_UNDEFINED when there is none.
int rank_in(const std::vector<int>& members, int rank);

}  // namespace cow::topo
