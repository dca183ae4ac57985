#include "topo/places.hpp"

#include <algorithm>
#include <map>

namespace cow::topo {
namespace {

// What a message costs whose ends differ first at a level: between nodes, packages, caches, cores; see distance().
constexpr std::array<int, Path::levels> level_cost{100, 10, 4, 2};
constexpr int hop_cost = 100;

// Of so many groups, those that make the first part.
int first_share(int groups, bool even) {
  if (!even && groups % 2 != 0 && groups % 3 == 0) return groups / 3;
  return groups / 2;
}

}  // namespace

Places::Places(std::vector<Path> paths) : count_(static_cast<int>(paths.size())), paths_(std::move(paths)) {}

Places::Places(const Layout& layout, std::vector<int> positions)
    : count_(static_cast<int>(positions.size())), layout_(layout), positions_(std::move(positions)) {}

int Places::distance(int a, int b) const {
  if (a == b) return 0;
  if (layout_) return hop_cost * layout_->hops(position(a), position(b));
  const Path& one = paths_[static_cast<std::size_t>(a)];
  const Path& other = paths_[static_cast<std::size_t>(b)];
  for (std::size_t level = 0; level < Path::levels; ++level)
    if (one.at[level] != other.at[level]) return level_cost[level];
  return 1;
}

std::vector<std::vector<int>> Places::nodes() const {
  std::vector<std::vector<int>> out;
  std::map<std::int32_t, std::size_t> known;
  for (int i = 0; i < static_cast<int>(paths_.size()); ++i) {
    const auto [node, fresh] = known.try_emplace(paths_[static_cast<std::size_t>(i)].at[0], out.size());
    if (fresh) out.emplace_back();
    out[node->second].push_back(i);
  }
  return out;
}

bool Places::all_alike(std::span<const int> places) const {
  for (const int place : places) {
    if (layout_ && layout_->dimensions() > 0 && places.size() > 2) return false;
    if (!layout_ && distance(places.front(), place) > 1) return false;
  }
  return true;
}

int Places::bisect(std::span<int> places, bool even) const {
  if (layout_ && layout_->dimensions() > 0) return bisect_layout(places);
  if (layout_) return static_cast<int>(places.size() / 2);
  return bisect_paths(places, even);
}

// Between groups of the highest level at which they differ.
int Places::bisect_paths(std::span<int> places, bool even) const {
  const auto path = [&](int place) -> const Path& { return paths_[static_cast<std::size_t>(place)]; };
  std::stable_sort(places.begin(), places.end(), [&](int a, int b) { return path(a).at < path(b).at; });
  std::size_t level = 0;
  while (level < Path::levels && path(places.front()).at[level] == path(places.back()).at[level]) ++level;
  if (level == Path::levels) return static_cast<int>(places.size() / 2);
  std::vector<int> starts;  // of the groups
  for (std::size_t i = 0; i < places.size(); ++i)
    if (i == 0 || path(places[i]).at[level] != path(places[i - 1]).at[level]) starts.push_back(static_cast<int>(i));
  const int share = std::max(1, first_share(static_cast<int>(starts.size()), even));
  return starts[static_cast<std::size_t>(share)];
}

// Across the dimension in which they extend furthest.
int Places::bisect_layout(std::span<int> places) const {
  int widest = 0, width = -1;
  for (int d = 0; d < layout_->dimensions(); ++d) {
    const auto [low, high] = std::minmax_element(places.begin(), places.end(),
                                                 [&](int a, int b) { return coordinate(a, d) < coordinate(b, d); });
    const int extent = coordinate(*high, d) - coordinate(*low, d);
    if (extent > width) widest = d, width = extent;
  }
  std::stable_sort(places.begin(), places.end(),
                   [&](int a, int b) { return coordinate(a, widest) < coordinate(b, widest); });
  return static_cast<int>(places.size() / 2);
}

}  // namespace cow::topo
