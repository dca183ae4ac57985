// The kinds of hardware resources inside this node, and to which of them this process is bound, by hwloc.
#pragma once

#include <string>
#include <vector>

struct hwloc_topology;
struct hwloc_bitmap_s;

namespace cow::runtime {

struct HardwareLevel {
  std::string type;  // "hwloc://Package"; the coarse ones come first
  int instance =
      -1;  // the only one that this process may run in, by hwloc's logical number, which means the same to all
           // processes of the node; -1: it may run in several
};

// As it is now. Empty when hwloc cannot tell.
std::vector<HardwareLevel> hardware_levels();

// The same of any machine and binding.
std::vector<HardwareLevel> hardware_levels(hwloc_topology* topology, const hwloc_bitmap_s* binding);

}  // namespace cow::runtime
