// Cutting a graph in two parts of given sizes.
#include <algorithm>
#include <queue>

#include "topo/graph.hpp"

namespace cow::topo {
namespace {

int most_passes(int vertices) { return vertices > 4096 ? 2 : 8; }

class Cutter {
 public:
  // `index` gets the number of each vertex among `vertices`, until the end.
  Cutter(const Graph& graph, std::span<const int> vertices, int first, std::vector<int>& index)
      : graph_(graph), vertices_(vertices), first_(first), index_(index), n_(static_cast<int>(vertices.size())) {
    for (int i = 0; i < n_; ++i) index_[static_cast<std::size_t>(vertices[static_cast<std::size_t>(i)])] = i;
  }
  ~Cutter() {
    for (const int v : vertices_) index_[static_cast<std::size_t>(v)] = -1;
  }
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;

  // `order`: numbers among the vertices; the first ones become the first part. Improves that, and keeps it if it is the
  // best so far.
  void consider(const std::vector<int>& order) {
    side_.assign(static_cast<std::size_t>(n_), true);
    for (int i = 0; i < first_; ++i) side_[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = false;
    for (int pass = 0; pass < most_passes(n_) && improve(); ++pass) continue;
    const std::int64_t weight = cut();
    if (best_.empty() || weight < best_weight_) {
      best_ = side_;
      best_weight_ = weight;
    }
  }

  // Grows a part from a vertex, always by the vertex that is tied to it most strongly (the nearest first, of equals).
  std::vector<int> grown_from(int seed) const {
    std::vector<std::int64_t> tie(static_cast<std::size_t>(n_));
    std::vector<bool> taken(static_cast<std::size_t>(n_));
    std::vector<int> order;
    using Candidate = std::pair<std::int64_t, int>;  // strength; minus the moment of arrival
    std::priority_queue<std::pair<Candidate, int>> front;
    int arrivals = 0, next = 0;
    front.push({{0, 0}, seed});
    while (static_cast<int>(order.size()) < n_) {
      if (front.empty()) {  // the next component
        while (taken[static_cast<std::size_t>(next)]) ++next;
        front.push({{0, -++arrivals}, next});
      }
      const int i = front.top().second;
      front.pop();
      if (taken[static_cast<std::size_t>(i)]) continue;
      taken[static_cast<std::size_t>(i)] = true;
      order.push_back(i);
      each_neighbour(i, [&](int j, std::int64_t weight) {
        if (taken[static_cast<std::size_t>(j)]) return;
        front.push({{tie[static_cast<std::size_t>(j)] += weight, -++arrivals}, j});
      });
    }
    return order;
  }

  // The numbers of the first part, then those of the second, each in their order.
  std::vector<int> result() const {
    std::vector<int> out;
    for (const bool side : {false, true})
      for (int i = 0; i < n_; ++i)
        if (best_[static_cast<std::size_t>(i)] == side) out.push_back(i);
    return out;
  }

 private:
  template <class Visit>
  void each_neighbour(int i, Visit visit) const {
    for (const Graph::Arc& arc : graph_.arcs(vertices_[static_cast<std::size_t>(i)]))
      if (const int j = index_[static_cast<std::size_t>(arc.to)]; j >= 0) visit(j, arc.weight);
  }

  // What the cut loses when a vertex changes sides.
  std::int64_t gain(int i) const {
    std::int64_t sum = 0;
    each_neighbour(i, [&](int j, std::int64_t weight) {
      sum += side_[static_cast<std::size_t>(i)] == side_[static_cast<std::size_t>(j)] ? -weight : weight;
    });
    return sum;
  }

  std::int64_t cut() const {
    std::int64_t sum = 0;
    for (int i = 0; i < n_; ++i)
      each_neighbour(i, [&](int j, std::int64_t weight) {
        if (side_[static_cast<std::size_t>(i)] != side_[static_cast<std::size_t>(j)]) sum += weight;
      });
    return sum / 2;
  }

  // One pass: vertices change sides in pairs, the best of each side first and each once, even where that costs
  // something; then back to the best moment. True when that is better than before.
  bool improve() {
    using Queue = std::priority_queue<std::pair<std::int64_t, int>>;  // gain; minus the number, so that ties are fixed
    Queue queues[2];
    std::vector<std::int64_t> gains(static_cast<std::size_t>(n_));
    std::vector<bool> moved(static_cast<std::size_t>(n_));
    for (int i = 0; i < n_; ++i) {
      gains[static_cast<std::size_t>(i)] = gain(i);
      queues[side_[static_cast<std::size_t>(i)]].push({gains[static_cast<std::size_t>(i)], -i});
    }
    std::vector<int> moves;
    std::int64_t sum = 0, best = 0;
    std::size_t best_moves = 0;
    const int pairs = std::min(first_, n_ - first_);
    const int patience = 64 + n_ / 8;  // pairs without a new best
    for (int pair = 0; pair < pairs && pair * 2 - static_cast<int>(best_moves) < 2 * patience; ++pair) {
      for (const bool from : {false, true}) {
        Queue& queue = queues[from];
        while (stale(queue.top(), gains, moved, from)) queue.pop();
        const int i = -queue.top().second;
        queue.pop();
        sum += gains[static_cast<std::size_t>(i)];
        moved[static_cast<std::size_t>(i)] = true;
        side_[static_cast<std::size_t>(i)] = !from;
        moves.push_back(i);
        each_neighbour(i, [&](int j, std::int64_t weight) {
          if (moved[static_cast<std::size_t>(j)]) return;
          const bool same = side_[static_cast<std::size_t>(j)] == !from;
          std::int64_t& theirs = gains[static_cast<std::size_t>(j)];
          theirs += same ? -2 * weight : 2 * weight;
          queues[side_[static_cast<std::size_t>(j)]].push({theirs, -j});
        });
      }
      if (sum > best) {
        best = sum;
        best_moves = moves.size();
      }
    }
    for (std::size_t m = moves.size(); m-- > best_moves;) {
      const auto i = static_cast<std::size_t>(moves[m]);
      side_[i] = !side_[i];
    }
    return best > 0;
  }

  bool stale(const std::pair<std::int64_t, int>& entry, const std::vector<std::int64_t>& gains,
             const std::vector<bool>& moved, bool side) const {
    const auto i = static_cast<std::size_t>(-entry.second);
    return moved[i] || side_[i] != side || gains[i] != entry.first;
  }

  const Graph& graph_;
  const std::span<const int> vertices_;
  const int first_;
  std::vector<int>& index_;
  const int n_;
  std::vector<bool> side_;  // true: the second part
  std::vector<bool> best_;
  std::int64_t best_weight_ = 0;
};

// The numbers 0 … n-1 of the vertices, sorted by one dimension of the grid, then by number.
std::vector<int> order_along(std::span<const int> vertices, int stride, int extent) {
  std::vector<int> order(vertices.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  const auto coordinate = [&](int i) { return vertices[static_cast<std::size_t>(i)] / stride % extent; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return coordinate(a) < coordinate(b); });
  return order;
}

}  // namespace

void cut_in_two(const Graph& graph, const Shape& shape, std::span<int> vertices, int first, std::vector<int>& scratch) {
  std::vector<int> result;
  {
    Cutter cutter(graph, vertices, first, scratch);
    int stride = 1;
    for (std::size_t d = shape.size(); d-- > 0; stride *= shape[d])
      if (shape[d] > 1) cutter.consider(order_along(vertices, stride, shape[d]));
    // From one end (the vertex found last from any other), and from the middle of what that grows to.
    const std::vector<int> grown = cutter.grown_from(0);
    const std::vector<int> from_end = cutter.grown_from(grown.back());
    cutter.consider(from_end);
    cutter.consider(cutter.grown_from(from_end.back()));
    if (shape.size() == 1) cutter.consider(grown);
    result = cutter.result();
  }
  const std::vector<int> before(vertices.begin(), vertices.end());
  for (std::size_t i = 0; i < result.size(); ++i) vertices[i] = before[static_cast<std::size_t>(result[i])];
}

}  // namespace cow::topo
