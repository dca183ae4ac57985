// --map-by layout: ranks that are neighbours in the layout are put on the same host where that is possible, and near
// each other there. Pure functions on a layout.
#pragma once

#include <cstdint>
#include <vector>

#include "base/layout.hpp"

namespace cow::launch {

struct LayoutPlacement {
  std::vector<std::uint32_t> host_of_rank;
  std::vector<std::uint32_t> slot_of_rank;  // its number among those of its host; near numbers are near in the layout
};

// `counts`: the ranks of each host, as many in all as the layout has places. The layout is cut in two, again and again,
// so that hosts get compact pieces of it; what results never has more links between hosts than consecutive ranks have.
LayoutPlacement place_by_layout(const Layout& layout, const std::vector<std::uint32_t>& counts);

// How many links of the layout lead from one host to another.
std::uint64_t links_between(const Layout& layout, const std::vector<std::uint32_t>& host_of_rank);

}  // namespace cow::launch
