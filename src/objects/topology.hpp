// Process topologies: what MPI_Cart_create and its like hang on a communicator. They never change once made, and
// duplicates of a communicator share them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "objects/comm.hpp"

namespace cow {

// Whom this rank receives from and sends to in neighbourhood collectives, slot by slot. MPI_PROC_NULL beyond a border.
struct Neighbours {
  std::vector<int> sources;
  std::vector<int> destinations;
  // Cartesian: what leaves downwards arrives from above, so that what is sent from slot i is received in slot i ^ 1 at
  // the other end. It matters where both neighbours of a dimension are one rank.
  bool crossed = false;

  int indegree() const { return static_cast<int>(sources.size()); }
  int outdegree() const { return static_cast<int>(destinations.size()); }
  // The k-th source in the order in which the messages of any one rank arrive.
  int arrival(int k) const { return crossed ? k ^ 1 : k; }
};

struct Topology {
  enum class Kind { cart, graph, dist_graph };
  explicit Topology(Kind k) : kind(k) {}
  const Kind kind;
  Neighbours neighbours;
};

struct CartTopology : Topology {
  CartTopology() : Topology(Kind::cart) {}
  // A grid of ranks, the last dimension counting fastest; `rank` is this process.
  CartTopology(std::vector<int> extents, std::vector<bool> around, int rank);

  int dimensions() const { return static_cast<int>(dims.size()); }
  int size() const;
  int rank_at(const std::vector<int>& place) const;  // each coordinate in range
  std::vector<int> place_of(int rank) const;
  // The rank `steps` further on in a dimension; MPI_PROC_NULL beyond a border.
  int moved(int rank, int dimension, std::int64_t steps) const;

  std::vector<int> dims;
  std::vector<bool> periods;
  std::vector<int> coords;  // of this process
};

struct GraphTopology : Topology {
  GraphTopology(std::vector<int> ends, std::vector<int> others, int rank);

  int first(int rank) const { return rank == 0 ? 0 : index[static_cast<std::size_t>(rank - 1)]; }
  int degree(int rank) const { return index[static_cast<std::size_t>(rank)] - first(rank); }

  std::vector<int> index;  // as in MPI_Graph_create: where each rank's edges end
  std::vector<int> edges;
  // An edge without an edge back, over which neighbourhood collectives would wait for ever; both -1: there is none.
  int one_way_from = -1;
  int one_way_to = -1;
};

struct DistGraphTopology : Topology {
  DistGraphTopology() : Topology(Kind::dist_graph) {}
  bool weighted = false;
  std::vector<int> source_weights;  // empty when not weighted
  std::vector<int> destination_weights;
};

// Null: the communicator has no topology, or none of that kind.
const Topology* topology_of(const Comm& comm);
const CartTopology* cart_of(const Comm& comm);
const GraphTopology* graph_of(const Comm& comm);
const DistGraphTopology* dist_graph_of(const Comm& comm);

void set_topology(Comm& comm, std::shared_ptr<const Topology> topology);
// Gives `to` the topology of `from`, if any.
void share_topology(const Comm& from, Comm& to);

}  // namespace cow
