#include "coll/comms/intercomms.hpp"

#include <algorithm>
#include <vector>

#include "base/siphash.hpp"
#include "coll/comms/new_comm.hpp"
#include "coll/execute/comm_coll.hpp"
#include "objects/group.hpp"

namespace cow::coll {
namespace {

// What each rank tells all others of both groups. The contexts are those of the new communicator if this rank becomes the
// first of its part.
struct Bid {
  std::uint64_t context;
  std::uint64_t local_context;
  int color;
  int key;
};

// The ranks of one colour, by key, then by rank.
std::vector<int> members_of(const std::vector<Bid>& bids, int color) {
  std::vector<int> members;
  for (std::size_t r = 0; r < bids.size(); ++r)
    if (bids[r].color == color) members.push_back(static_cast<int>(r));
  std::stable_sort(members.begin(), members.end(), [&](int a, int b) {
    return bids[static_cast<std::size_t>(a)].key < bids[static_cast<std::size_t>(b)].key;
  });
  return members;
}

}  // namespace

// Each group gathers its own, the first ranks swap that, and each group hears of the other's.
Error allgather_across(Comm& comm, const void* own, void* mine, void* theirs, MPI_Count bytes) {
  const int tag = next_tag(comm);
  const MPI_Count local = comm.size() * bytes, remote = comm.remote_group->size() * bytes;
  if (Error error = allgather_bytes(*comm.local_comm, own, mine, bytes)) return error;
  Error failed = success;
  if (comm.rank == 0) failed = swap_bytes({&comm, 0, tag, comm.context | 1}, mine, local, theirs, remote);
  const Error told = bcast_bytes(*comm.local_comm, theirs, remote, 0);
  return failed ? failed : told;
}

Error split_across(Comm& comm, int color, int key, Comm*& out) {
  const Bid own{new_context(), new_context(), color, key};
  std::vector<Bid> mine(static_cast<std::size_t>(comm.size()));
  std::vector<Bid> theirs(static_cast<std::size_t>(comm.remote_group->size()));
  if (Error error = allgather_across(comm, &own, mine.data(), theirs.data(), sizeof own)) return error;
  out = nullptr;
  if (color < 0) return success;
  const std::vector<int> local = members_of(mine, color), remote = members_of(theirs, color);
  if (remote.empty()) return success;
  const Bid& first = mine[static_cast<std::size_t>(local.front())];
  const Bid& other = theirs[static_cast<std::size_t>(remote.front())];
  return make_intercomm(std::min(first.context, other.context), first.local_context, include(*comm.group, local),
                        include(*comm.remote_group, remote), comm, out);
}

void name_contexts(Comm& comm, std::uint64_t& own, std::uint64_t& local) {
  const auto named = [number = static_cast<std::uint64_t>(next_tag(comm))](std::uint64_t context) {
    const std::uint64_t words[2] = {context, number};
    const std::uint64_t hash = siphash({}, words, sizeof words);
    return std::uint64_t{1} << 62 | (hash & ((std::uint64_t{1} << 60) - 1)) << 1;
  };
  own = named(comm.context);
  local = named(comm.local_comm->context);
}

}  // namespace cow::coll
