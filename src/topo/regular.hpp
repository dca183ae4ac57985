// Mappings that need no search, where a grid and the machine fit each other.
#pragma once

#include <vector>

#include "topo/mapping.hpp"

namespace cow::topo {

// As in map_graph(): holder[v] is the place of vertex v. Candidates only, none where nothing fits:
// - the grid onto a layout of the same extents, in whatever order of the dimensions;
// - nodes of equal size as boxes of the grid, the box with the least surface whose sides divide the grid's.
std::vector<std::vector<int>> regular_mappings(const Shape& shape, const Places& places);

}  // namespace cow::topo
