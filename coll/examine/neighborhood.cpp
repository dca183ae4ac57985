#include "coll/examine/neighborhood.hpp"

#include <mpi.h>

#include "objects/topology.hpp"

namespace cow::coll {
namespace {

Neighbours neighbours_of(const Case& c, int rank) {
  const int p = c.size;
  if (!c.layout || c.layout->dimensions() == 0) {
    Neighbours out;
    out.destinations = {(rank + 1) % p, rank, (rank + 1) % p, (rank + p / 2) % p};
    out.sources = {(rank + p - 1) % p, rank, (rank + p - 1) % p, (rank + p - p / 2) % p};
    return out;
  }
  std::vector<int> dims;
  for (int d = 0; d < c.layout->dimensions(); ++d) dims.push_back(c.layout->extent(d));
  const bool around = c.layout->wraps() && c.layout->kind() != Layout::Kind::hypercube;
  return CartTopology(dims, std::vector<bool>(dims.size(), around), rank).neighbours;
}

// The slot of the other end that slot i of a rank receives from: of the messages between the two in the order sent, the
// one with the same number. In a grid, simply the other direction.
int slot_of(const Case& c, const Neighbours& own, int rank, int i) {
  if (own.crossed) return i ^ 1;
  const int source = own.sources[static_cast<size_t>(i)];
  int before = 0;
  for (int k = 0; k < i; ++k) before += own.sources[static_cast<size_t>(k)] == source;
  const Neighbours theirs = neighbours_of(c, source);
  for (int j = 0; j < theirs.outdegree(); ++j)
    if (theirs.destinations[static_cast<size_t>(j)] == rank && before-- == 0) return j;
  return -1;
}

}  // namespace

RankSetting neighbour_setting(const Case& c, int rank) {
  const bool same_block = c.algorithm->collective == Collective::neighbor_allgather;
  const Count n = c.count;
  RankSetting s;
  auto neighbours = std::make_shared<const Neighbours>(neighbours_of(c, rank));
  s.recv.resize(static_cast<size_t>(n * neighbours->indegree()));
  for (int i = 0; i < neighbours->indegree(); ++i) {
    s.counts.push_back(n);
    s.displs.push_back(n * i);
    const int source = neighbours->sources[static_cast<size_t>(i)];
    const Count first = same_block || source == MPI_PROC_NULL ? 0 : n * slot_of(c, *neighbours, rank, i);
    for (Count k = 0; k < n; ++k)  // beyond a border nothing may change
      s.expected.push_back({n * i + k, source == MPI_PROC_NULL ? Value{} : term(source, first + k)});
  }
  for (int j = 0; j < neighbours->outdegree(); ++j) {
    s.send_counts.push_back(n);
    s.send_displs.push_back(n * j);
  }
  const Count length = same_block ? n : n * neighbours->outdegree();
  for (Count k = 0; k < length; ++k) s.send.push_back(term(rank, k));
  s.args.count = n;
  s.args.send = area_address(send_area);
  s.args.recv = area_address(recv_area);
  s.args.counts = s.counts.data();
  s.args.displs = s.displs.data();
  s.args.send_counts = s.send_counts.data();
  s.args.send_displs = s.send_displs.data();
  s.args.neighbours = neighbours.get();
  s.neighbours = std::move(neighbours);
  return s;
}

}  // namespace cow::coll
