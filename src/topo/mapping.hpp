// Laying a graph of neighbours out on places, so that neighbours are near each other. Pure: knows nothing of MPI, gives
// the same answer everywhere.
//
// Vertices and places are halved together (dual recursive bisection, after Pellegrini, "Static mapping by dual recursive
// bipartitioning of process and architecture graphs", 1994): the places between the parts that are furthest apart, the
// vertices so that few edges are cut, which Kernighan's and Lin's exchange then improves. At the end single vertices
// change places as long as that is cheaper. Of all candidates, and of leaving everybody where he is, the cheapest wins.
#pragma once

#include <cstdint>
#include <vector>

#include "topo/places.hpp"

namespace cow::topo {

struct Edge {
  int a;
  int b;
  std::int64_t weight;
};
using Edges = std::vector<Edge>;

// The extents of a grid whose vertices are numbered row by row; one number, how many there are, where they form none.
using Shape = std::vector<int>;

// The sum over all edges of weight and distance. holder[v] is the place of vertex v.
std::int64_t mapping_cost(const Edges& edges, const Places& places, const std::vector<int>& holder);

// The place of each vertex, one vertex a place; as many places as vertices. Never costs more than holder[v] = v.
std::vector<int> map_graph(const Edges& edges, const Shape& shape, const Places& places);

}  // namespace cow::topo
