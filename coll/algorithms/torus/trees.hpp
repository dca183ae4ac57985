// Broadcast and reduction over edge-disjoint spanning trees of a torus. The vector is cut into as many parts as there
// are trees, and each part goes down (or comes up) its own tree in packets, one behind the other.
//
// Count coordinates from the root, x = 0 … k - 1 in each dimension. Tree d: the root tells its neighbour in dimension
// d. A place with x_d = 0 hears, in dimension d, from the place before it around the ring, where x_d = k - 1; any
// other hears from the place before it in the last of the dimensions d + 1, …, d + D - 1 (around) in which its
// coordinate is not 0, or in dimension d itself where all of them are 0. So what a place hears over in tree d is d
// itself if x_d = 0, else the dimension before d among those with x != 0: a permutation of the dimensions, hence no
// directed link belongs to two of the D trees. D more trees go the other way round, over the links of the other
// direction; where an extent is 2 both directions are the same link, and the D alone are used. With all extents 2 these
// are the trees of Johnsson and Ho on the hypercube.
//
// When: large vectors on a ring or torus of any extents. The reduction: commutative operations.
// Cost: (sum(k_i - 1) + k) steps of (alpha + n/(2 D k) beta) for k packets a tree, D in place of 2 D where an extent is
// 2; dilation 1, load 1. The reduction adds n gamma for each of the rank's children, 2 D of them over all trees at most
// where one tree has one.
// Source: Johnsson and Ho, IEEE ToC 1989, carried over from the hypercube; the like on the plane: Watts and van de
// Geijn, "A pipelined broadcast for multidimensional meshes", Parallel Processing Letters 1995; Faraj, Kumar, Smith,
// Mamidala, Gunnels, "MPI collective communications on the Blue Gene/P supercomputer", HOTI 2009.
#pragma once

#include <vector>

#include "coll/algorithms/parts/common.hpp"
#include "coll/algorithms/parts/grid.hpp"

namespace cow::coll {

// The trees, as one rank sees them.
class TorusTrees {
 public:
  struct Place {
    int depth = 0;              // of this rank, 0 at the root
    int parent = -1;            // a rank
    std::vector<int> children;  // ranks
  };

  TorusTrees(const Layout* layout, int size, int root, int rank) : grid_(layout, size), root_(root) {
    for (int c = 0; c < count(); ++c) places_.push_back(place(c, rank));
  }
  static bool valid(const Problem& p) {
    return p.size > 1 && p.layout &&
           (p.layout->kind() == Layout::Kind::ring || p.layout->kind() == Layout::Kind::torus);
  }
  static int count(const Grid& grid) {
    for (int extent : grid.extents)
      if (extent == 2) return grid.dimensions();
    return 2 * grid.dimensions();
  }
  // The largest depth of any tree: around the whole ring of its first dimension, and to the end of the others.
  static int depth(const Grid& grid) {
    int sum = grid.dimensions() > 1 ? 1 : 0;
    for (int extent : grid.extents) sum += extent - 1;
    return sum;
  }
  int count() const { return count(grid_); }
  int depth() const { return depth(grid_); }
  const Place& operator[](int tree) const { return places_[static_cast<std::size_t>(tree)]; }

 private:
  using Point = std::vector<int>;

  // Coordinates from the root, in the direction of the tree.
  Point point(int tree, int rank) const {
    Point out;
    for (int d = 0; d < grid_.dimensions(); ++d) {
      const int steps = grid_.coordinate(rank, d) - grid_.coordinate(root_, d);
      out.push_back(modulo(direction(tree) * steps, grid_.extent(d)));
    }
    return out;
  }
  int direction(int tree) const { return tree < grid_.dimensions() ? 1 : -1; }

  // The dimension in which a place hears.
  int hears_in(int tree, const Point& x) const {
    const int dimensions = grid_.dimensions();
    const int d = tree % dimensions;
    if (x[static_cast<std::size_t>(d)] == 0) return d;
    for (int i = dimensions - 1; i > 0; --i)
      if (x[static_cast<std::size_t>((d + i) % dimensions)] != 0) return (d + i) % dimensions;
    return d;
  }

  // Steps from the root: to the parent's in the tree, and one more.
  int depth_of(int tree, const Point& x) const {
    int sum = 0;
    for (int coordinate : x) sum += coordinate;
    const auto d = static_cast<std::size_t>(tree % grid_.dimensions());
    if (sum == 0 || x[d] != 0) return sum;
    return sum + grid_.extent(static_cast<int>(d));
  }

  Place place(int tree, int rank) const {
    Place out;
    const Point x = point(tree, rank);
    out.depth = depth_of(tree, x);
    const auto beside = [&](int d, int steps) {
      return grid_.moved(rank, d, grid_.coordinate(rank, d) + direction(tree) * steps);
    };
    if (rank != root_) out.parent = beside(hears_in(tree, x), -1);
    for (int d = 0; d < grid_.dimensions(); ++d) {
      Point next = x;
      int& moved = next[static_cast<std::size_t>(d)];
      moved = modulo(moved + 1, grid_.extent(d));
      const int child = beside(d, 1);
      if (child != root_ && hears_in(tree, next) == d) out.children.push_back(child);
    }
    return out;
  }

  Grid grid_;
  int root_;
  std::vector<Place> places_;
};

// Packets of a tree's part: number k is at the depth h of the tree's way at time k + h.
struct TreePackets {
  EvenBlocks parts;
  Count packet;
  int number;

  TreePackets(Count n, Count unit_size, const TorusTrees& trees)
      : parts{n, trees.count()}, packet(pipeline_segment(parts.length(0) * unit_size, unit_size, trees.depth())),
        number(static_cast<int>((parts.length(0) + packet - 1) / packet)) {}
  Count at(int tree, int k) const { return parts.offset(tree) + k * packet; }
  Count length(int tree, int k) const {  // 0: no such packet
    return k < 0 ? 0 : std::max<Count>(0, std::min(packet, parts.length(tree) - k * packet));
  }
};

inline void cost_torus_trees(Cost& cost, const Problem& p, bool reduces) {
  const Grid grid(p.layout, p.size);
  const int trees = TorusTrees::count(grid);
  const int depth = TorusTrees::depth(grid);
  const Count part = std::max<Count>(1, (p.bytes + trees - 1) / trees);
  const Count packet = std::min(part, pipeline_segment(part, 1, depth));
  const int packets = static_cast<int>((part + packet - 1) / packet);
  const int steps = depth + packets - 1;
  cost.known({1, 1}, static_cast<double>(packet), steps);
  cost.starts((trees - 1) * packets + depth);
  if (reduces) cost.reduce(static_cast<double>(packet) * trees * packets);
}

struct BcastTorusTrees {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "torus_trees";
  static bool valid(const Problem& p) { return TorusTrees::valid(p); }
  static void cost(Cost& cost, const Problem& p) { cost_torus_trees(cost, p, false); }

  template <class V>
  static void run(V& v, const Args& a) {
    const TorusTrees trees(v.layout(), v.size(), a.root, v.rank());
    const TreePackets packets(a.count, 1, trees);
    for (int time = 0; time < trees.depth() + packets.number - 1; ++time) {
      for (int t = 0; t < trees.count(); ++t) {
        const TorusTrees::Place& place = trees[t];
        const int in = time - place.depth + 1;
        const int out = time - place.depth;
        if (place.parent >= 0) v.post_recv(place.parent, v.at(a.recv, packets.at(t, in)), packets.length(t, in));
        for (int child : place.children) v.post_send(child, v.at(a.recv, packets.at(t, out)), packets.length(t, out));
      }
      v.step();
    }
  }
};

struct ReduceTorusTrees {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "torus_trees";
  static bool valid(const Problem& p) { return p.commutative && TorusTrees::valid(p); }
  static void cost(Cost& cost, const Problem& p) { cost_torus_trees(cost, p, true); }

  // The broadcast with time turned round.
  template <class V>
  static void run(V& v, const Args& a) {
    const TorusTrees trees(v.layout(), v.size(), a.root, v.rank());
    const TreePackets packets(a.count, v.unit_size(), trees);
    const Address sum = v.rank() == a.root ? a.recv : v.scratch(a.count);
    v.copy(sum, a.send, a.count);
    std::size_t most = 0;
    for (int t = 0; t < trees.count(); ++t) most = std::max(most, trees[t].children.size());
    const Count slot = std::min(packets.packet, packets.parts.length(0));
    const Address arrived = v.scratch(slot * static_cast<Count>(most) * trees.count());
    for (int time = 0; time < trees.depth() + packets.number - 1; ++time) {
      each(trees, packets, time, slot,
           [&](int child, Count at, Count n, Count) { v.post_recv(child, v.at(arrived, at), n); });
      for (int t = 0; t < trees.count(); ++t) {
        const int out = time - (trees.depth() - trees[t].depth);
        if (trees[t].parent >= 0) v.post_send(trees[t].parent, v.at(sum, packets.at(t, out)), packets.length(t, out));
      }
      v.step();
      each(trees, packets, time, slot,
           [&](int, Count at, Count n, Count into) { v.reduce(v.at(arrived, at), v.at(sum, into), n); });
    }
  }

 private:
  // What the children send at a time: visit(child, place in the room for arrivals, length, place in the vector).
  template <class Visit>
  static void each(const TorusTrees& trees, const TreePackets& packets, int time, Count slot, Visit visit) {
    Count at = 0;
    for (int t = 0; t < trees.count(); ++t) {
      const int k = time - (trees.depth() - trees[t].depth - 1);
      for (int child : trees[t].children) {
        visit(child, at, packets.length(t, k), packets.at(t, k));
        at += slot;
      }
    }
  }
};

}  // namespace cow::coll
