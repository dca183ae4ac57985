#include "launcher/core/tree.hpp"

#include <algorithm>
#include <span>

namespace cow::launch {
namespace {

// The nodes are cut into parts of nearly the same size; the first of each part starts the others of it.
void grow(std::span<const std::uint32_t> nodes, std::uint32_t parent, std::size_t width,
          std::vector<std::uint32_t>& out) {
  const std::size_t parts = std::min(nodes.size(), width);
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = nodes.size() * part / parts, end = nodes.size() * (part + 1) / parts;
    out[nodes[begin]] = parent;
    grow(nodes.subspan(begin + 1, end - begin - 1), nodes[begin], width, out);
  }
}

}  // namespace

std::vector<std::uint32_t> grow_tree(const std::vector<bool>& here, std::uint32_t width) {
  std::vector<std::uint32_t> out(here.size(), no_node), others;
  for (std::uint32_t node = 0; node < here.size(); ++node) {
    if (!here[node]) others.push_back(node);
  }
  grow(others, no_node, width == 0 ? others.size() : width, out);
  return out;
}

Routes::Routes(std::vector<std::uint32_t> parents, std::uint32_t self)
    : parents_(std::move(parents)), hops_(parents_.size(), no_node) {
  for (std::uint32_t node = 0; node < parents_.size(); ++node) {
    if (parents_[node] == self) {
      children_.push_back(node);
      hops_[node] = node;
    } else if (parents_[node] != no_node) {
      hops_[node] = hops_[parents_[node]];
    }
  }
}

std::vector<std::uint32_t> Routes::below(std::uint32_t node) const {
  std::vector<std::uint32_t> out;
  std::vector<bool> inside(parents_.size());
  inside[node] = true;
  for (std::uint32_t other = node + 1; other < parents_.size(); ++other) {
    if (parents_[other] == no_node || !inside[parents_[other]]) continue;
    inside[other] = true;
    out.push_back(other);
  }
  return out;
}

std::uint32_t depth_of(const std::vector<std::uint32_t>& parents) {
  std::vector<std::uint32_t> depths(parents.size(), 1);
  std::uint32_t out = 0;
  for (std::uint32_t node = 0; node < parents.size(); ++node) {
    if (parents[node] != no_node) depths[node] = depths[parents[node]] + 1;
    out = std::max(out, depths[node]);
  }
  return out;
}

}  // namespace cow::launch
