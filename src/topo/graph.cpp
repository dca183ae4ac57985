#include "topo/graph.hpp"

#include <algorithm>

namespace cow::topo {

Graph::Graph(const Edges& edges, int vertices) : start_(static_cast<std::size_t>(vertices) + 1) {
  Edges both;
  both.reserve(2 * edges.size());
  for (const Edge& e : edges) {
    if (e.a == e.b || e.weight == 0) continue;
    both.push_back(e);
    both.push_back({e.b, e.a, e.weight});
  }
  std::sort(both.begin(), both.end(), [](const Edge& x, const Edge& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (i > 0 && both[i].a == both[i - 1].a && both[i].b == both[i - 1].b) {
      arcs_.back().weight += both[i].weight;
    } else {
      arcs_.push_back({both[i].b, both[i].weight});
      start_[static_cast<std::size_t>(both[i].a) + 1] = arcs_.size();
    }
  }
  for (std::size_t v = 1; v < start_.size(); ++v) start_[v] = std::max(start_[v], start_[v - 1]);
}

}  // namespace cow::topo
