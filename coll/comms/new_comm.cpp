#include "coll/comms/new_comm.hpp"

#include <algorithm>
#include <vector>

#include "base/at_end.hpp"
#include "coll/core/call.hpp"
#include "coll/execute/execute.hpp"
#include "coll/prepare/prepare.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow::coll {

std::uint64_t new_context() {
  // Bit 0 is for collectives, bit 63 for side messages; contexts below 2^36 are predefined.
  static std::uint64_t made = 0;
  return (std::uint64_t{this_process} + 1) << 36 | ++made << 1;
}

Error make_comm(std::uint64_t context, Group* group, const Comm& parent, Comm*& out) {
  AtEnd releasing([group] { release(*group); });  // it is this function's, whatever comes
  auto* const comm = new Comm;
  releasing.forget();
  comm->context = context;
  comm->group = group;
  comm->rank = group->rank;
  if (parent.errhandler) replace(comm->errhandler, *parent.errhandler);
  if (Error error = table<Comm>().insert(*comm)) {
    release(*comm);
    return error;
  }
  out = comm;
  return success;
}

Error make_intercomm(std::uint64_t context, std::uint64_t local_context, Group* group, Group* remote,
                     const Comm& parent, Comm*& out) {
  AtEnd releasing([remote] { release(*remote); });
  Comm* comm;
  if (Error error = make_comm(context, group, parent, comm)) return error;
  releasing.forget();
  comm->remote_group = remote;
  AtEnd discarding([comm] { discard(*comm); });
  comm->local_comm = new Comm;  // without a handle
  comm->local_comm->context = local_context;
  comm->local_comm->group = group;
  retain(*group);
  comm->local_comm->rank = group->rank;
  if (parent.errhandler) replace(comm->local_comm->errhandler, *parent.errhandler);
  discarding.forget();
  out = comm;
  return success;
}

void discard(Comm& comm) {
  table<Comm>().erase(comm);
  release(comm);
}

Error swap_bytes(const Line& line, const void* out, MPI_Count out_bytes, void* in, MPI_Count in_bytes) {
  Datatype* const byte = find(MPI_BYTE);
  Request* arriving;
  if (Error error = pt2pt::irecv({in, in_bytes, byte, line.peer, line.tag, line.comm, line.context}, arriving))
    return error;
  AtEnd giving_up([=] { pt2pt::give_up(*arriving); });
  const Error sent = pt2pt::send({out, out_bytes, byte, line.peer, line.tag, line.comm, line.context});
  giving_up.forget();
  const Error received = pt2pt::wait(*arriving);
  return sent ? sent : received;
}

Error bcast_bytes(Comm& comm, void* buffer, MPI_Count bytes, int root) {
  Operation operation;
  if (Error error = prepare_bcast(operation, comm, {buffer, bytes, find(MPI_BYTE)}, root)) return error;
  return run_blocking(operation);
}

Error allgather_bytes(Comm& comm, const void* own, void* all, MPI_Count bytes) {
  Datatype* const byte = find(MPI_BYTE);
  Operation operation;
  if (Error error = prepare_allgather(operation, comm, {own, bytes, byte}, {all, bytes, byte})) return error;
  return run_blocking(operation);
}

namespace {

// What each rank tells all others. The context is that of the new communicator if this rank becomes its first.
struct Bid {
  std::uint64_t context;
  int color;
  int key;
};

}  // namespace

Error split(Comm& comm, int color, int key, Comm*& out) {
  const Bid own{color >= 0 ? new_context() : 0, color, key};
  std::vector<Bid> bids(static_cast<std::size_t>(comm.size()));
  if (Error error = allgather_bytes(comm, &own, bids.data(), sizeof own)) return error;
  out = nullptr;
  if (color < 0) return success;
  std::vector<int> members;
  for (int r = 0; r < comm.size(); ++r)
    if (bids[static_cast<std::size_t>(r)].color == color) members.push_back(r);
  std::stable_sort(members.begin(), members.end(), [&](int a, int b) {
    return bids[static_cast<std::size_t>(a)].key < bids[static_cast<std::size_t>(b)].key;
  });
  const std::uint64_t context = bids[static_cast<std::size_t>(members.front())].context;
  return make_comm(context, include(*comm.group, members), comm, out);
}

}  // namespace cow::coll
