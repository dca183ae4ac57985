// The edges of one node of a distributed graph, on their way from who knows them to who needs them.
#pragma once

#include <vector>

#include "objects/comm.hpp"
#include "topo/mapping.hpp"

namespace cow::topo {

struct Adjacency {
  std::vector<int> sources;
  std::vector<int> source_weights;  // 1 where the program gave none
  std::vector<int> destinations;
  std::vector<int> destination_weights;
};

// An edge that some rank told of.
struct ToldEdge {
  int source;
  int destination;
  int weight;
};

// Collective: hands each edge to both its ends. Between the same two, edges are in the same order at both: that of the
// ranks that told of them.
Error collect_edges(Comm& comm, const std::vector<ToldEdge>& told, Adjacency& own);

// Collective: all edges of the graph, at rank 0.
Error gather_edges(Comm& comm, const Adjacency& own, Edges& all);

// Collective: rank members[k] gets what rank k has.
Error hand_over(Comm& comm, const std::vector<int>& members, Adjacency& adjacency);

}  // namespace cow::topo
