#include "topo/regular.hpp"

#include <algorithm>
#include <numeric>

namespace cow::topo {
namespace {

std::vector<int> coordinates(const Shape& shape, int vertex) {
  std::vector<int> out(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; vertex /= shape[d]) out[d] = vertex % shape[d];
  return out;
}

// order[d]: the dimension of the layout that dimension d of the grid lies along.
std::vector<int> along(const Shape& shape, const Places& places, const std::vector<int>& order) {
  const Layout& layout = *places.layout();
  std::vector<int> standing(static_cast<std::size_t>(layout.size()));  // position -> place
  for (int i = 0; i < places.size(); ++i) standing[static_cast<std::size_t>(places.position(i))] = i;
  std::vector<int> holder;
  for (int v = 0; v < places.size(); ++v) {
    const std::vector<int> at = coordinates(shape, v);
    int position = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) position += at[d] * layout.stride(order[d]);
    holder.push_back(standing[static_cast<std::size_t>(position)]);
  }
  return holder;
}

void onto_layout(const Shape& shape, const Places& places, std::vector<std::vector<int>>& out) {
  const Layout& layout = *places.layout();
  if (layout.dimensions() != static_cast<int>(shape.size()) || layout.size() != places.size()) return;
  std::vector<int> order;
  std::vector<bool> used(shape.size());
  for (const int extent : shape)
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (used[d] || layout.extent(static_cast<int>(d)) != extent) continue;
      used[d] = true;
      order.push_back(static_cast<int>(d));
      break;
    }
  if (order.size() == shape.size()) out.push_back(along(shape, places, order));
}

// Boxes of a volume whose sides divide the grid's.
class BoxSearch {
 public:
  BoxSearch(const Shape& shape, int volume) : shape_(shape) { add_side(volume); }
  const Shape& best() const { return best_; }  // empty: there is none

 private:
  void add_side(int volume) {
    const std::size_t d = box_.size();
    if (d == shape_.size()) {
      if (volume == 1 && (best_.empty() || surface() < best_surface_)) best_ = box_, best_surface_ = surface();
      return;
    }
    for (int side = 1; side <= std::min(volume, shape_[d]); ++side) {
      if (volume % side != 0 || shape_[d] % side != 0) continue;
      box_.push_back(side);
      add_side(volume / side);
      box_.pop_back();
    }
  }

  // Relative to the volume: a side as long as the grid has nothing beyond it.
  double surface() const {
    double sum = 0;
    for (std::size_t d = 0; d < box_.size(); ++d) sum += box_[d] == shape_[d] ? 0 : 1.0 / box_[d];
    return sum;
  }

  const Shape& shape_;
  Shape box_;
  Shape best_;
  double best_surface_ = 0;
};

void onto_nodes(const Shape& shape, const Places& places, std::vector<std::vector<int>>& out) {
  const std::vector<std::vector<int>> nodes = places.nodes();
  if (shape.size() < 2 || nodes.size() < 2) return;
  for (const auto& node : nodes)
    if (node.size() != nodes.front().size()) return;
  const Shape box = BoxSearch(shape, static_cast<int>(nodes.front().size())).best();
  if (box.empty()) return;
  std::vector<std::size_t> next(nodes.size());  // of each node, the next process
  std::vector<int> holder;
  for (int v = 0; v < places.size(); ++v) {
    const std::vector<int> at = coordinates(shape, v);
    std::size_t node = 0;
    for (std::size_t d = 0; d < shape.size(); ++d)
      node = node * static_cast<std::size_t>(shape[d] / box[d]) + static_cast<std::size_t>(at[d] / box[d]);
    holder.push_back(nodes[node][next[node]++]);
  }
  out.push_back(std::move(holder));
}

}  // namespace

std::vector<std::vector<int>> regular_mappings(const Shape& shape, const Places& places) {
  std::vector<std::vector<int>> out;
  if (std::accumulate(shape.begin(), shape.end(), 1, std::multiplies<>()) != places.size()) return out;
  if (places.layout())
    onto_layout(shape, places, out);
  else
    onto_nodes(shape, places, out);
  return out;
}

}  // namespace cow::topo
