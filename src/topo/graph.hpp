// A graph as mapping needs it: for each vertex its neighbours and the weight between them, both ways.
#pragma once

#include <span>

#include "topo/mapping.hpp"

namespace cow::topo {

class Graph {
 public:
  struct Arc {
    int to;
    std::int64_t weight;
  };

  // Edges between the same two are added up; those from a vertex to itself are left out.
  Graph(const Edges& edges, int vertices);

  int size() const { return static_cast<int>(start_.size()) - 1; }
  std::span<const Arc> arcs(int vertex) const {
    const auto v = static_cast<std::size_t>(vertex);
    return {arcs_.data() + start_[v], arcs_.data() + start_[v + 1]};
  }

 private:
  std::vector<std::size_t> start_;
  std::vector<Arc> arcs_;
};

// Cuts `vertices` in two: the first `first` of them afterwards are one part. Starts from several orders (theirs, those
// of the grid's dimensions, breadth first) and improves each by exchanging vertices; takes the cut with least weight.
// Only edges between these vertices count. `scratch` holds -1 for each vertex of the graph, before and after.
void cut_in_two(const Graph& graph, const Shape& shape, std::span<int> vertices, int first, std::vector<int>& scratch);

}  // namespace cow::topo
