// Where processes are, and how far that is from each other. Pure: knows nothing of MPI.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/layout.hpp"

namespace cow::topo {

// The way from the whole machine down to a process: node, package, memory and cache, core. -1 where a process may be
// in any (it is not bound), which is taken as one more place of that level.
struct Path {
  static constexpr int levels = 4;
  std::array<std::int32_t, levels> at{-1, -1, -1, -1};
};

class Places {
 public:
  explicit Places(std::vector<Path> paths);
  // Processes that are wired: the i-th stands at place positions[i] of the layout.
  Places(const Layout& layout, std::vector<int> positions);

  int size() const { return count_; }

  // What a message between two of them costs, relatively: 0 for a place itself, 1 where nothing tells them apart.
  int distance(int a, int b) const;

  // The wires, and where on them a process stands; null and nothing where only paths are known.
  const Layout* layout() const { return layout_ ? &*layout_ : nullptr; }
  int position(int place) const { return positions_[static_cast<std::size_t>(place)]; }

  // Processes of one node each, node by node, those with the lowest number first. Empty when wires are known.
  std::vector<std::vector<int>> nodes() const;

  // Whether the distance between any two is the same.
  bool all_alike(std::span<const int> places) const;

  // Turns the places so that the first n (the result, neither 0 nor all) lie apart from the others, and both parts are
  // close in themselves. `even`: as equal parts as they come; else a share that lets a number of nodes that is divided
  // by three fall into thirds.
  int bisect(std::span<int> places, bool even) const;

 private:
  int bisect_paths(std::span<int> places, bool even) const;
  int bisect_layout(std::span<int> places) const;
  int coordinate(int place, int dimension) const { return layout_->coordinate(position(place), dimension); }

  int count_;
  std::vector<Path> paths_;
  std::optional<Layout> layout_;
  std::vector<int> positions_;
};

}  // namespace cow::topo
