// Making communicators with a topology.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "base/at_end.hpp"
#include "coll/comms/new_comm.hpp"
#include "objects/topology.hpp"

namespace cow::topo {

// Collective over `old`: rank members[k] of it becomes rank k of a new communicator, with a handle; null at ranks that
// are no members. `members` is the same everywhere. `fact` is made the number that rank 0 gave: for what all ranks must
// say alike.
Error make_topology_comm(Comm& old, std::span<const int> members, Comm*& out, int& fact);
inline Error make_topology_comm(Comm& old, std::span<const int> members, Comm*& out) {
  int nothing = 0;
  return make_topology_comm(old, members, out, nothing);
}

// A topology for a communicator that this call has just made: without memory for it, the communicator goes too.
template <class T, class... Arguments>
void add_topology(Comm& made, Arguments&&... arguments) {
  AtEnd discarding([&made] { coll::discard(made); });
  set_topology(made, std::make_shared<T>(std::forward<Arguments>(arguments)..., made.rank));
  discarding.forget();
}

// Hands a new communicator to the program; null becomes MPI_COMM_NULL.
void give(Comm* comm, MPI_Comm* out);

Error need_intra(const Comm& comm);

// An array that the program gave, of that length.
Error need_array(const void* array, int length, const char* name);

}  // namespace cow::topo
