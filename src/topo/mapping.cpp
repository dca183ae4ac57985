#include "topo/mapping.hpp"

#include <algorithm>
#include <deque>
#include <numeric>

#include "topo/graph.hpp"
#include "topo/regular.hpp"

namespace cow::topo {
namespace {

constexpr int many = 4096;  // vertices, from which on what a mapping may take is bounded more strictly

std::vector<int> numbers(int n) {
  std::vector<int> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// One way to lay the graph out. A region is some vertices and as many places, which are halved together until the places
// are all alike; regions are taken in turn, the largest first, so that each knows roughly where its neighbours will be.
class Mapper {
 public:
  Mapper(const Graph& graph, const Shape& shape, const Places& places, bool even)
      : graph_(graph), shape_(shape), places_(places), even_(even), vertices_(numbers(graph.size())), order_(vertices_),
        holder_(vertices_.size(), 0), scratch_(vertices_.size(), -1) {}

  std::vector<int> run() {
    std::deque<Region> open{{0, vertices_.size()}};
    for (; !open.empty(); open.pop_front()) {
      const Region region = open.front();
      const std::span<int> vertices = part(vertices_, region), places = part(order_, region);
      if (places_.all_alike(places)) {
        assign(vertices, places);
        continue;
      }
      const auto first = static_cast<std::size_t>(places_.bisect(places, even_));
      cut_in_two(graph_, shape_, vertices, static_cast<int>(first), scratch_);
      if (2 * first == places.size()) turn_round(vertices, places);
      for (const Region& half : {Region{region.begin, first}, Region{region.begin + first, region.length - first}}) {
        settle(part(vertices_, half), part(order_, half));
        open.push_back(half);
      }
    }
    return std::move(holder_);
  }

 private:
  struct Region {
    std::size_t begin;
    std::size_t length;
  };
  static std::span<int> part(std::vector<int>& all, const Region& region) {
    return std::span<int>(all).subspan(region.begin, region.length);
  }
  static int middle_of(std::span<const int> places) { return places[places.size() / 2]; }

  // Of two equal halves either may get either half of the places: what is nearer to the neighbours outside.
  void turn_round(std::span<int> vertices, std::span<const int> places) {
    const std::size_t half = vertices.size() / 2;
    const int low = middle_of(places.first(half)), high = middle_of(places.subspan(half));
    for (const int v : vertices) scratch_[static_cast<std::size_t>(v)] = 0;
    std::int64_t as_is = 0;
    for (std::size_t i = 0; i < vertices.size(); ++i)
      for (const Graph::Arc& arc : graph_.arcs(vertices[i])) {
        if (scratch_[static_cast<std::size_t>(arc.to)] == 0) continue;
        const int there = holder_[static_cast<std::size_t>(arc.to)];
        const std::int64_t nearer = places_.distance(low, there) - places_.distance(high, there);
        as_is += arc.weight * (i < half ? nearer : -nearer);
      }
    for (const int v : vertices) scratch_[static_cast<std::size_t>(v)] = -1;
    if (as_is > 0) std::rotate(vertices.begin(), vertices.begin() + static_cast<std::ptrdiff_t>(half), vertices.end());
  }

  // Where they will be, roughly.
  void settle(std::span<const int> vertices, std::span<const int> places) {
    for (const int v : vertices) holder_[static_cast<std::size_t>(v)] = middle_of(places);
  }

  // In their order: as few as possible move.
  void assign(std::span<int> vertices, std::span<int> places) {
    std::sort(vertices.begin(), vertices.end());
    std::sort(places.begin(), places.end());
    for (std::size_t i = 0; i < vertices.size(); ++i) holder_[static_cast<std::size_t>(vertices[i])] = places[i];
  }

  const Graph& graph_;
  const Shape& shape_;
  const Places& places_;
  const bool even_;
  std::vector<int> vertices_;
  std::vector<int> order_;   // of the places
  std::vector<int> holder_;  // for vertices of open regions: a place in the middle of theirs
  std::vector<int> scratch_;
};

// Exchanges the places of two vertices as long as that is cheaper.
class Exchanger {
 public:
  Exchanger(const Graph& graph, const Places& places, std::vector<int>& holder)
      : graph_(graph), places_(places), holder_(holder) {}

  void run() {
    for (int pass = 0; pass < (graph_.size() > many ? 1 : 6); ++pass) {
      bool better = false;
      for (int v = 0; v < graph_.size(); ++v) better = try_vertex(v) || better;
      if (!better) return;
    }
  }

 private:
  // With whom: everybody in a small graph, else some, always the same.
  bool try_vertex(int v) {
    const int n = graph_.size();
    bool better = false;
    const int most = n > many ? 16 : 192;
    for (int tried = 0; tried < std::min(n, most); ++tried) {
      const int w = n <= most ? tried : next_random() % n;
      if (w == v || saved(v, w) <= 0) continue;
      std::swap(holder_[static_cast<std::size_t>(v)], holder_[static_cast<std::size_t>(w)]);
      better = true;
    }
    return better;
  }

  int next_random() {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>(random_ >> 33);
  }

  std::int64_t saved(int v, int w) const { return moved(v, w) + moved(w, v); }

  // What v saves at the place of w, the edge between both apart.
  std::int64_t moved(int v, int w) const {
    const int here = holder_[static_cast<std::size_t>(v)], there = holder_[static_cast<std::size_t>(w)];
    std::int64_t sum = 0;
    for (const Graph::Arc& arc : graph_.arcs(v)) {
      if (arc.to == w) continue;
      const int other = holder_[static_cast<std::size_t>(arc.to)];
      sum += arc.weight * (places_.distance(here, other) - places_.distance(there, other));
    }
    return sum;
  }

  const Graph& graph_;
  const Places& places_;
  std::vector<int>& holder_;
  std::uint64_t random_ = 1;
};

}  // namespace

std::int64_t mapping_cost(const Edges& edges, const Places& places, const std::vector<int>& holder) {
  std::int64_t sum = 0;
  for (const Edge& e : edges)
    sum += e.weight * places.distance(holder[static_cast<std::size_t>(e.a)], holder[static_cast<std::size_t>(e.b)]);
  return sum;
}

std::vector<int> map_graph(const Edges& edges, const Shape& shape, const Places& places) {
  const int n = places.size();
  std::vector<int> best = numbers(n);
  if (places.all_alike(best)) return best;
  const Graph graph(edges, n);
  std::int64_t best_cost = mapping_cost(edges, places, best);
  const auto consider = [&](std::vector<int> holder) {
    Exchanger(graph, places, holder).run();
    const std::int64_t cost = mapping_cost(edges, places, holder);
    if (cost >= best_cost) return;
    best = std::move(holder);
    best_cost = cost;
  };
  std::vector<std::vector<int>> regular = regular_mappings(shape, places);
  const bool search = n <= many || regular.empty();
  for (std::vector<int>& holder : regular) consider(std::move(holder));
  for (const bool even : {true, false})
    if (search && (even || n <= many)) consider(Mapper(graph, shape, places, even).run());
  return best;
}

}  // namespace cow::topo
