// Intercommunicators: MPI_Intercomm_create and MPI_Intercomm_merge.
#include <algorithm>

#include "api/bodies.hpp"
#include "coll/comms/new_comm.hpp"
#include "coll/execute/comm_coll.hpp"
#include "objects/group.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow {

using namespace coll;

namespace {

std::vector<Process> processes_of(const Group& group) {
  std::vector<Process> out;
  for (int r = 0; r < group.size(); ++r) out.push_back(group.process(r));
  return out;
}

// What a leader learns and tells its group. `size` -1: the leaders could not talk.
struct Introduction {
  std::uint64_t context;        // of the intercommunicator: the smaller of the two offered
  std::uint64_t local_context;  // of the local group's own collectives
  std::int64_t size;            // of the remote group
};

Error meet(const Line& line, const Comm& local, Introduction& introduction, std::vector<Process>& remote) {
  const Introduction mine{new_context(), 0, local.size()};
  Introduction theirs{};
  if (Error error = swap_bytes(line, &mine, sizeof mine, &theirs, sizeof theirs)) return error;
  remote.resize(static_cast<std::size_t>(theirs.size));
  const std::vector<Process> own = processes_of(*local.group);
  const auto bytes = [](const std::vector<Process>& list) {
    return static_cast<MPI_Count>(list.size() * sizeof(Process));
  };
  if (Error error = swap_bytes(line, own.data(), bytes(own), remote.data(), bytes(remote))) return error;
  introduction = {std::min(mine.context, theirs.context), new_context(), theirs.size};
  return success;
}

Error need_disjoint(const Group& local, const std::vector<Process>& remote) {
  for (const Process process : remote)
    if (local.contains(process)) return fail(ErrorClass::comm, "a process is in both groups");
  return success;
}

// What the two leaders of an intercommunicator tell each other before its groups become one.
struct Bid {
  std::uint64_t context;
  std::uint32_t process;
  std::int32_t high;
};

}  // namespace

Error body::Intercomm_create(Comm& local_comm, int local_leader, Comm* peer_comm, int remote_leader, int tag,
                             MPI_Comm* newintercomm) {
  if (local_comm.inter()) return fail(ErrorClass::comm, "local_comm is an intercommunicator");
  if (local_leader < 0 || local_leader >= local_comm.size())
    return fail(ErrorClass::rank, "local_leader %d: the communicator has %d ranks", local_leader, local_comm.size());
  Introduction introduction{0, 0, -1};
  std::vector<Process> remote;
  Error failed = success;
  if (local_comm.rank == local_leader) {
    if (!peer_comm)
      failed = fail(ErrorClass::comm, "peer_comm is not a communicator");
    else if (remote_leader < 0 || remote_leader >= peer_comm->peers().size())
      failed =
          fail(ErrorClass::rank, "remote_leader %d: peer_comm has %d ranks", remote_leader, peer_comm->peers().size());
    else
      failed = meet({peer_comm, remote_leader, tag, side_context(*peer_comm)}, local_comm, introduction, remote);
    if (failed) introduction.size = -1;
  }
  const Error told = bcast_bytes(local_comm, &introduction, sizeof introduction, local_leader);
  if (failed) return failed;
  if (told) return told;
  if (introduction.size < 0) return fail(ErrorClass::other, "the leaders could not talk to each other");
  remote.resize(static_cast<std::size_t>(introduction.size));
  const auto bytes = static_cast<MPI_Count>(remote.size() * sizeof(Process));
  if (Error error = bcast_bytes(local_comm, remote.data(), bytes, local_leader)) return error;
  if (Error error = need_disjoint(*local_comm.group, remote)) return error;
  Comm* made;
  retain(*local_comm.group);
  if (Error error = make_intercomm(introduction.context, introduction.local_context, local_comm.group,
                                   make_group(std::move(remote)), local_comm, made))
    return error;
  *newintercomm = handle_of(*made);
  return success;
}

Error body::Intercomm_merge(Comm& intercomm, int high, MPI_Comm* newintracomm) {
  if (!intercomm.inter()) return fail(ErrorClass::comm, "it is not an intercommunicator");
  const Bid own{new_context(), this_process, high != 0};
  Bid bids[2] = {own, own};
  const int tag = next_tag(intercomm);
  Error failed = success;
  if (intercomm.rank == 0)
    failed = swap_bytes({&intercomm, 0, tag, intercomm.context | 1}, &own, sizeof own, &bids[1], sizeof own);
  const Error told = bcast_bytes(*intercomm.local_comm, bids, sizeof bids, 0);
  if (failed) return failed;
  if (told) return told;
  // The group that says "high" comes last; when both say the same, that of the leader with the smaller number is first.
  const auto& [mine, theirs] = bids;
  const bool first = mine.high != theirs.high ? mine.high < theirs.high : mine.process < theirs.process;
  std::vector<Process> all = processes_of(first ? *intercomm.group : *intercomm.remote_group);
  const std::vector<Process> last = processes_of(first ? *intercomm.remote_group : *intercomm.group);
  all.insert(all.end(), last.begin(), last.end());
  Comm* made;
  if (Error error = make_comm(std::min(mine.context, theirs.context), make_group(std::move(all)), intercomm, made))
    return error;
  *newintracomm = handle_of(*made);
  return success;
}

}  // namespace cow
