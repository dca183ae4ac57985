// Neighbourhood collectives: every block straight to its neighbour, all messages at once.
//
// When: always. Neighbours are few, and where ranks are placed well they are one link away; the links of a torus then
// work all at once, in both directions.
// Cost: alpha + n beta over the busiest link, and half an alpha for each further neighbour.
//
// Between the same two ranks, messages are matched in the order of the slots. In a Cartesian topology what leaves
// downwards arrives from above: receives are posted with the two directions of each dimension exchanged, so that it
// comes right where both neighbours are one rank (two ranks around), or this one (one rank around).
#pragma once

#include <mpi.h>

#include "coll/algorithms/parts/common.hpp"
#include "coll/core/collective.hpp"
#include "objects/topology.hpp"

namespace cow::coll {

// What a rank sends and receives, slot by slot. The unit is the byte.
template <Collective which>
struct NeighbourBlocks {
  const Args& a;
  const Neighbours& n = *a.neighbours;
  static constexpr bool same_block = which == Collective::neighbor_allgather;  // for every neighbour

  int source(int i) const { return n.sources[static_cast<std::size_t>(i)]; }
  int destination(int j) const { return n.destinations[static_cast<std::size_t>(j)]; }
  Address to(int i) const { return a.recv + static_cast<Address>(a.displs[i]); }
  Datatype* type(int i) const { return a.types ? a.types[i] : a.type; }
  Address from(int j) const { return same_block ? a.send : a.send + static_cast<Address>(a.send_displs[j]); }
  Count send_count(int j) const { return same_block ? a.count : a.send_counts[j]; }
  Datatype* send_type(int j) const { return a.send_types ? a.send_types[j] : a.send_type; }

  // From this rank to itself.
  template <class V>
  void own(V& v) const {
    int k = 0;
    for (int j = 0; j < n.outdegree(); ++j) {
      if (destination(j) != v.rank()) continue;
      while (k < n.indegree() && source(n.arrival(k)) != v.rank()) ++k;
      if (k == n.indegree()) break;
      const int i = n.arrival(k++);
      v.transfer(to(i), a.counts[i], type(i), from(j), send_count(j), send_type(j));
    }
  }
};

template <Collective which>
struct NeighboursDirect {
  static constexpr Collective collective = which;
  static constexpr const char* name = "direct";
  static bool valid(const Problem&) { return true; }

  // Of a halo exchange along the wires; without wires of three neighbours, as the examiner imagines.
  static void cost(Cost& cost, const Problem& p) {
    const auto bytes = static_cast<double>(p.bytes);
    if (p.size < 2) return;
    if (!p.layout || p.layout->dimensions() == 0) return cost.fan(3, bytes);
    const bool around = p.layout->kind() == Layout::Kind::ring || p.layout->kind() == Layout::Kind::torus;
    int messages = 0, load = 1;
    for (int d = 0; d < p.layout->dimensions(); ++d) {
      const int extent = p.layout->extent(d);
      if (extent > 1) messages += around ? 2 : std::min(2, extent - 1);
      if (extent == 2 && around) load = 2;
    }
    cost.known({1, load}, bytes);
    cost.starts(messages - 1);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const NeighbourBlocks<which> blocks{a};
    const Neighbours& n = blocks.n;
    const int me = v.rank();
    for (int k = 0; k < n.indegree(); ++k) {
      const int i = n.arrival(k), from = blocks.source(i);
      if (from != MPI_PROC_NULL && from != me) v.post_recv(from, blocks.to(i), a.counts[i], blocks.type(i));
    }
    for (int j = 0; j < n.outdegree(); ++j) {
      const int to = blocks.destination(j);
      if (to != MPI_PROC_NULL && to != me) v.post_send(to, blocks.from(j), blocks.send_count(j), blocks.send_type(j));
    }
    blocks.own(v);
    v.step();
  }
};

}  // namespace cow::coll
