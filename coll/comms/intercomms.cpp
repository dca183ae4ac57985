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

MPI_Count bytes_of(const std::vector<Bid>& bids) { return static_cast<MPI_Count>(bids.size() * sizeof(Bid)); }

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

// Each group gathers its bids, the first ranks swap them, and each group hears of the other's.
Error gather_bids(Comm& comm, const Bid& own, std::vector<Bid>& mine, std::vector<Bid>& theirs) {
  const int tag = next_tag(comm);
  mine.resize(static_cast<std::size_t>(comm.size()));
  theirs.resize(static_cast<std::size_t>(comm.remote_group->size()));
  if (Error error = allgather_bytes(*comm.local_comm, &own, mine.data(), sizeof own)) return error;
  Error failed = success;
  if (comm.rank == 0)
    failed = swap_bytes({&comm, 0, tag, comm.context | 1}, mine.data(), bytes_of(mine), theirs.data(), bytes_of(theirs));
  const Error told = bcast_bytes(*comm.local_comm, theirs.data(), bytes_of(theirs), 0);
  return failed ? failed : told;
}

}  // namespace

Error split_across(Comm& comm, int color, int key, Comm*& out) {
  const Bid own{new_context(), new_context(), color, key};
  std::vector<Bid> mine, theirs;
  if (Error error = gather_bids(comm, own, mine, theirs)) return error;
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
