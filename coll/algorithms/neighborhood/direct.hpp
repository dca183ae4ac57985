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
    const Neighbours& n = *a.neighbours;
    const int me = v.rank();
    for (int k = 0; k < n.indegree(); ++k) {
      const int i = n.arrival(k), from = source(n, i);
      if (from != MPI_PROC_NULL && from != me) v.post_recv(from, place(v, a, i), a.counts[i], type(a, i));
    }
    for (int j = 0; j < n.outdegree(); ++j) {
      const int to = destination(n, j);
      if (to != MPI_PROC_NULL && to != me) v.post_send(to, out_place(v, a, j), out_count(a, j), out_type(a, j));
    }
    int k = 0;
    for (int j = 0; j < n.outdegree(); ++j) {
      if (destination(n, j) != me) continue;
      while (k < n.indegree() && source(n, n.arrival(k)) != me) ++k;
      if (k == n.indegree()) break;
      const int i = n.arrival(k++);
      v.transfer(place(v, a, i), a.counts[i], type(a, i), out_place(v, a, j), out_count(a, j), out_type(a, j));
    }
    v.step();
  }

 private:
  static constexpr bool same_block = which == Collective::neighbor_allgather;  // for every neighbour

  static int source(const Neighbours& n, int i) { return n.sources[static_cast<std::size_t>(i)]; }
  static int destination(const Neighbours& n, int j) { return n.destinations[static_cast<std::size_t>(j)]; }
  template <class V>
  static Address place(V& v, const Args& a, int i) {
    return v.at(a.recv, a.displs[i]);
  }
  static Datatype* type(const Args& a, int i) { return a.types ? a.types[i] : a.type; }
  template <class V>
  static Address out_place(V& v, const Args& a, int j) {
    return same_block ? a.send : v.at(a.send, a.send_displs[j]);
  }
  static Count out_count(const Args& a, int j) { return same_block ? a.count : a.send_counts[j]; }
  static Datatype* out_type(const Args& a, int j) { return a.send_types ? a.send_types[j] : a.send_type; }
};

}  // namespace cow::coll
