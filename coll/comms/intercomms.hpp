// Communicators made from intercommunicators, which are intercommunicators again.
#pragma once

#include "objects/comm.hpp"

namespace cow::coll {

// What MPI_Comm_split does: the ranks of one colour in both groups; null for ranks without a colour, and where the other
// group has none of this one. A colour is 0, more, or MPI_UNDEFINED.
Error split_across(Comm& comm, int color, int key, Comm*& out);

// Each rank tells all of both groups `bytes` bytes. `mine` has room for those of the local group, `theirs` for the others.
Error allgather_across(Comm& comm, const void* own, void* mine, void* theirs, MPI_Count bytes);

// Contexts for a duplicate that all ranks can name without a message: from those of `comm` and the number of this call
// among its collectives. They are apart from those that are counted (new_context()), like the contexts in which
// communicators made from groups meet.
void name_contexts(Comm& comm, std::uint64_t& own, std::uint64_t& local);

}  // namespace cow::coll
