#include "launcher/placement/layout_placement.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace cow::launch {
namespace {

using Places = std::vector<int>;

// Gives the places to parts of known sizes, which are numbered from `first`.
class Cutter {
 public:
  explicit Cutter(const Layout& layout) : layout_(layout), side_(static_cast<std::size_t>(layout.size())) {}

  void cut(Places places, std::span<const std::uint32_t> sizes, std::uint32_t first,
           std::vector<std::uint32_t>& part_of) {
    if (sizes.size() == 1) {
      for (int place : places) part_of[static_cast<std::size_t>(place)] = first;
      return;
    }
    const std::size_t half = sizes.size() / 2;
    const std::size_t left =
        std::accumulate(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(half), std::size_t{0});
    Places best = places;
    std::uint64_t least = ~std::uint64_t{0};
    for (int dimension = 0; dimension < layout_.dimensions(); ++dimension) {
      // Places of one coordinate stay in their order.
      std::stable_sort(places.begin(), places.end(), [&](int a, int b) {
        return layout_.coordinate(a, dimension) < layout_.coordinate(b, dimension);
      });
      const std::uint64_t links = links_cut(places, left);
      if (links >= least) continue;
      least = links;
      best = places;
    }
    const auto middle = best.begin() + static_cast<std::ptrdiff_t>(left);
    cut({best.begin(), middle}, sizes.first(half), first, part_of);
    cut({middle, best.end()}, sizes.subspan(half), first + static_cast<std::uint32_t>(half), part_of);
  }

 private:
  // Between the first `left` of the places and the others of them.
  std::uint64_t links_cut(const Places& places, std::size_t left) {
    for (std::size_t i = 0; i < places.size(); ++i) side(places[i]) = i < left ? 1 : 2;
    std::uint64_t out = 0;
    for (int place : places) {
      for (int dimension = 0; dimension < layout_.dimensions(); ++dimension) {
        out += side(place) + side(layout_.neighbour(place, dimension, 1)) == 3;
      }
    }
    for (int place : places) side(place) = 0;
    return out;
  }
  unsigned char& side(int place) { return side_[static_cast<std::size_t>(place)]; }

  const Layout& layout_;
  std::vector<unsigned char> side_;  // 1 or 2; 0: belongs to neither
};

std::vector<std::uint32_t> consecutive(const std::vector<std::uint32_t>& counts) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t host = 0; host < counts.size(); ++host) out.insert(out.end(), counts[host], host);
  return out;
}

}  // namespace

std::uint64_t links_between(const Layout& layout, const std::vector<std::uint32_t>& host_of_rank) {
  std::uint64_t out = 0;
  for (int place = 0; place < layout.size(); ++place) {
    for (int dimension = 0; dimension < layout.dimensions(); ++dimension) {
      out += host_of_rank[static_cast<std::size_t>(place)] !=
             host_of_rank[static_cast<std::size_t>(layout.neighbour(place, dimension, 1))];
    }
  }
  return out;
}

LayoutPlacement place_by_layout(const Layout& layout, const std::vector<std::uint32_t>& counts) {
  LayoutPlacement out;
  const auto ranks = static_cast<std::size_t>(layout.size());
  Places all(ranks);
  std::iota(all.begin(), all.end(), 0);
  Cutter cutter(layout);
  out.host_of_rank.resize(ranks);
  cutter.cut(all, counts, 0, out.host_of_rank);
  std::vector<std::uint32_t> plain = consecutive(counts);
  if (links_between(layout, plain) <= links_between(layout, out.host_of_rank)) out.host_of_rank = std::move(plain);
  out.slot_of_rank.resize(ranks);
  std::vector<Places> of_host(counts.size());
  for (int place : all) of_host[out.host_of_rank[static_cast<std::size_t>(place)]].push_back(place);
  for (const Places& places : of_host) {
    if (!places.empty()) cutter.cut(places, std::vector<std::uint32_t>(places.size(), 1), 0, out.slot_of_rank);
  }
  return out;
}

}  // namespace cow::launch
