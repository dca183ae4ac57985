// The tree of mpirun (its root) and the agents. Nodes are numbers from 0; a tree is the parent of each, and a parent has
// a smaller number than its children.
#pragma once

#include <cstdint>
#include <vector>

namespace cow::launch {

inline constexpr std::uint32_t no_node = ~0u;  // as a parent: mpirun

// Nobody starts more than `width` others (0: mpirun starts all), and neighbouring numbers are near each other in the
// tree. Nodes that are `here`, on mpirun's own host, are its children, without children and not counted.
std::vector<std::uint32_t> grow_tree(const std::vector<bool>& here, std::uint32_t width);

// The tree as one of its members sees it.
class Routes {
 public:
  Routes(std::vector<std::uint32_t> parents, std::uint32_t self);  // self: no_node for mpirun

  const std::vector<std::uint32_t>& children() const { return children_; }
  // The child through which the node is reached, itself perhaps; no_node: it is not below this member.
  std::uint32_t hop(std::uint32_t node) const { return node < hops_.size() ? hops_[node] : no_node; }
  // All below a node, without it.
  std::vector<std::uint32_t> below(std::uint32_t node) const;
  std::uint32_t parent(std::uint32_t node) const { return parents_[node]; }

 private:
  std::vector<std::uint32_t> parents_, children_, hops_;
};

// The longest way from mpirun to a node, in edges.
std::uint32_t depth_of(const std::vector<std::uint32_t>& parents);

}  // namespace cow::launch
