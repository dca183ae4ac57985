// Making communicators: contexts, and the collective calls that agree on them.
#pragma once

#include "objects/comm.hpp"

namespace cow::coll {

// A context that no other communicator has or had, in this job: made from the number of this process and a counter.
std::uint64_t new_context();

// Messages of MPI_Comm_create_group and MPI_Intercomm_create travel in a third context of their communicator, since not
// all of its ranks take part and their tags are the program's.
inline std::uint64_t side_context(const Comm& comm) { return comm.context | std::uint64_t{1} << 63; }

// A communicator with a handle and one reference. Takes over the caller's reference to `group` (and to the remote
// group); inherits the error handler of `parent`.
Error make_comm(std::uint64_t context, Group* group, const Comm& parent, Comm*& out);
Error make_intercomm(std::uint64_t context, std::uint64_t local_context, Group* group, Group* remote,
                     const Comm& parent, Comm*& out);

// Undoes make_comm().
void discard(Comm& comm);

// One end of a conversation between two leaders.
struct Line {
  Comm* comm;
  int peer;
  int tag;
  std::uint64_t context;
};

// Sends out_bytes to the other end and receives at most in_bytes from there.
Error swap_bytes(const Line& line, const void* out, MPI_Count out_bytes, void* in, MPI_Count in_bytes);

// Small collectives on an intracommunicator.
Error bcast_bytes(Comm& comm, void* buffer, MPI_Count bytes, int root);
Error allgather_bytes(Comm& comm, const void* own, void* all, MPI_Count bytes);

// What MPI_Comm_split does with ranks of colour >= 0; null for others.
Error split(Comm& comm, int color, int key, Comm*& out);

}  // namespace cow::coll
