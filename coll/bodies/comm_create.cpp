// Communicators made from others: MPI_Comm_dup and its like, MPI_Comm_create, MPI_Comm_split.
#include <algorithm>

#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "coll/comms/intercomms.hpp"
#include "coll/comms/new_comm.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/forms.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "objects/topology.hpp"
#include "pt2pt/compound_request.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow {

using namespace coll;

namespace {

Error need_intra(const Comm& comm) {
  if (!comm.inter()) return success;
  return fail(ErrorClass::comm, "it is an intercommunicator");
}

struct Contexts {
  std::uint64_t own;
  std::uint64_t local;  // of an intercommunicator's local group
};

// New contexts for a duplicate, the same at all ranks. On an intercommunicator the first ranks of both groups offer one
// each, of which the smaller is taken.
Error agree(Comm& comm, Contexts& out) {
  const int tag = comm.inter() ? next_tag(comm) : 0;
  Error failed = success;
  if (comm.rank == 0) out = {new_context(), new_context()};
  if (comm.rank == 0 && comm.inter()) {
    const std::uint64_t offered = out.own;
    std::uint64_t other = 0;
    failed = swap_bytes({&comm, 0, tag, comm.context | 1}, &offered, sizeof offered, &other, sizeof other);
    out.own = std::min(offered, other);
  }
  const Error told = bcast_bytes(comm.inter() ? *comm.local_comm : comm, &out, sizeof out, 0);
  return failed ? failed : told;
}

// A copy of `comm` in all but its contexts: groups, topology, attributes that their callbacks let pass, the hints given.
Error make_copy(Comm& comm, const Contexts& contexts, const Info* info, Comm*& out) {
  Comm* copy;
  retain(*comm.group);
  if (comm.inter()) {
    retain(*comm.remote_group);
    if (Error error = make_intercomm(contexts.own, contexts.local, comm.group, comm.remote_group, comm, copy))
      return error;
  } else if (Error error = make_comm(contexts.own, comm.group, comm, copy)) {
    return error;
  }
  AtEnd discarding([copy] { discard(*copy); });
  if (Error error = comm.attributes.copy_to(comm.handle(), copy->attributes, copy->handle())) return error;
  share_topology(comm, *copy);
  copy->buffer_release =
      comm.buffer_release;  // no hint, which a duplicate would not have, but how the program wants its buffers
  if (info) set_hints(*copy, *info);
  discarding.forget();
  out = copy;
  return success;
}

Error duplicate(Comm& comm, const Info* info, MPI_Comm* newcomm) {
  Contexts contexts{};
  if (Error error = agree(comm, contexts)) return error;
  Comm* copy;
  if (Error error = make_copy(comm, contexts, info, copy)) return error;
  *newcomm = handle_of(*copy);
  return success;
}

// Of an intercommunicator: all know the contexts, so that there is nothing to wait for.
Error begin_inter_duplicate(Comm& comm, const Info* info, MPI_Comm* newcomm, MPI_Request* out) {
  Contexts contexts{};
  name_contexts(comm, contexts.own, contexts.local);
  Comm* copy;
  if (Error error = make_copy(comm, contexts, info, copy)) return error;
  pt2pt::CompoundRequest* const request = pt2pt::make_compound_request(&comm);
  request->close();
  if (Error error = hand_out(*request, out)) {
    discard(*copy);
    return error;
  }
  *newcomm = handle_of(*copy);
  return success;
}

// The context arrives by a nonblocking broadcast, straight into the new communicator, which the program may use only
// after the request has completed.
Error begin_duplicate(Comm& comm, const Info* info, MPI_Comm* newcomm, MPI_Request* out) {
  if (comm.inter()) return begin_inter_duplicate(comm, info, newcomm, out);
  Comm* copy;
  if (Error error = make_copy(comm, {comm.rank == 0 ? new_context() : 0, 0}, info, copy)) return error;
  const Error error = nonblocking(out, [&](Operation& o) {
    return prepare_bcast(o, comm, {&copy->context, sizeof copy->context, find(MPI_BYTE)}, 0);
  });
  if (error)
    discard(*copy);
  else
    *newcomm = handle_of(*copy);
  return error;
}

Error give(Comm* comm, MPI_Comm* out) {
  *out = comm ? static_cast<MPI_Comm>(handle_of(*comm)) : MPI_COMM_NULL;
  return success;
}

Error need_members_of(const Comm& comm, const Group& group) {
  for (int r = 0; r < group.size(); ++r)
    if (!comm.group->contains(group.process(r)))
      return fail(ErrorClass::group, "rank %d of the group is not in the communicator", r);
  return success;
}

// Hands a context down a binomial tree of the group's members, from its rank 0.
Error pass_context(Comm& comm, Group& group, int tag, std::uint64_t& context) {
  Datatype* const byte = find(MPI_BYTE);
  const int size = group.size();
  const auto rank_in_comm = [&](int r) { return comm.group->rank_of(group.process(r)); };
  int mask = 1;
  while (mask < size && !(group.rank & mask)) mask *= 2;
  if (group.rank != 0) {
    const pt2pt::RecvArgs args{&context, sizeof context,    byte, rank_in_comm(group.rank - mask), tag,
                               &comm,    side_context(comm)};
    if (Error error = pt2pt::recv(args, nullptr)) return error;
  }
  for (mask /= 2; mask > 0; mask /= 2) {
    if (group.rank + mask >= size) continue;
    const pt2pt::SendArgs args{&context, sizeof context,    byte, rank_in_comm(group.rank + mask), tag,
                               &comm,    side_context(comm)};
    if (Error error = pt2pt::send(args)) return error;
  }
  return success;
}

}  // namespace

Error body::Comm_dup(Comm& comm, MPI_Comm* newcomm) { return duplicate(comm, nullptr, newcomm); }

Error body::Comm_dup_with_info(Comm& comm, Info* info, MPI_Comm* newcomm) { return duplicate(comm, info, newcomm); }

Error body::Comm_idup(Comm& comm, MPI_Comm* newcomm, MPI_Request* request) {
  return begin_duplicate(comm, nullptr, newcomm, request);
}

Error body::Comm_idup_with_info(Comm& comm, Info* info, MPI_Comm* newcomm, MPI_Request* request) {
  return begin_duplicate(comm, info, newcomm, request);
}

Error body::Comm_split(Comm& comm, int color, int key, MPI_Comm* newcomm) {
  if (color < 0 && color != MPI_UNDEFINED)
    return fail(ErrorClass::arg, "color %d: expected 0, more, or MPI_UNDEFINED", color);
  Comm* part;
  if (Error error = comm.inter() ? split_across(comm, color, key, part) : split(comm, color, key, part)) return error;
  return give(part, newcomm);
}

Error body::Comm_create(Comm& comm, Group& group, MPI_Comm* newcomm) {
  if (Error error = need_members_of(comm, group)) return error;
  if (comm.inter()) {
    Comm* part;
    if (Error error = split_across(comm, group.rank == MPI_UNDEFINED ? int{MPI_UNDEFINED} : 0, group.rank, part))
      return error;
    return give(part, newcomm);
  }
  // Groups of different ranks may differ when they have no member in common; each has its own first member.
  const std::uint64_t own = new_context();
  std::vector<std::uint64_t> contexts(static_cast<std::size_t>(comm.size()));
  if (Error error = allgather_bytes(comm, &own, contexts.data(), sizeof own)) return error;
  if (group.rank == MPI_UNDEFINED) return give(nullptr, newcomm);
  const int first = comm.group->rank_of(group.process(0));
  Comm* made;
  retain(group);
  if (Error error = make_comm(contexts[static_cast<std::size_t>(first)], &group, comm, made)) return error;
  return give(made, newcomm);
}

Error body::Comm_create_group(Comm& comm, Group& group, int tag, MPI_Comm* newcomm) {
  if (Error error = need_intra(comm)) return error;
  if (Error error = need_members_of(comm, group)) return error;
  if (group.rank == MPI_UNDEFINED) return give(nullptr, newcomm);
  std::uint64_t context = group.rank == 0 ? new_context() : 0;
  if (Error error = pass_context(comm, group, tag, context)) return error;
  Comm* made;
  retain(group);
  if (Error error = make_comm(context, &group, comm, made)) return error;
  return give(made, newcomm);
}

}  // namespace cow
