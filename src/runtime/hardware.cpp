#include "runtime/hardware.hpp"

#include <hwloc.h>

namespace cow::runtime {
namespace {

constexpr hwloc_obj_type_t types[] = {HWLOC_OBJ_MACHINE, HWLOC_OBJ_PACKAGE, HWLOC_OBJ_DIE,     HWLOC_OBJ_NUMANODE,
                                      HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L1CACHE,
                                      HWLOC_OBJ_CORE,    HWLOC_OBJ_PU};

// Loaded once: it takes some milliseconds. Null when it cannot be.
hwloc_topology_t machine() {
  static const hwloc_topology_t loaded = [] {
    hwloc_topology_t topology = nullptr;
    if (hwloc_topology_init(&topology) != 0) return hwloc_topology_t{};
    // With what a cgroup forbids, so that numbers mean the same in every process.
    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(topology) == 0) return topology;
    hwloc_topology_destroy(topology);
    return hwloc_topology_t{};
  }();
  return loaded;
}

// An object that holds all of the set; the first one where several do (a node's memories side by side).
int only_instance(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_const_bitmap_t set) {
  if (hwloc_bitmap_iszero(set)) return -1;
  for (hwloc_obj_t object = nullptr; (object = hwloc_get_next_obj_by_type(topology, type, object));)
    if (object->cpuset && hwloc_bitmap_isincluded(set, object->cpuset)) return static_cast<int>(object->logical_index);
  return -1;
}

}  // namespace

std::vector<HardwareLevel> hardware_levels(hwloc_topology* topology, const hwloc_bitmap_s* binding) {
  std::vector<HardwareLevel> levels;
  for (const hwloc_obj_type_t type : types)
    if (hwloc_get_nbobjs_by_type(topology, type) > 0)
      levels.push_back({std::string("hwloc://") + hwloc_obj_type_string(type), only_instance(topology, type, binding)});
  return levels;
}

std::vector<HardwareLevel> hardware_levels() {
  const hwloc_topology_t topology = machine();
  hwloc_bitmap_t const set = hwloc_bitmap_alloc();
  std::vector<HardwareLevel> levels;
  if (topology && set && hwloc_get_cpubind(topology, set, HWLOC_CPUBIND_PROCESS) == 0)
    levels = hardware_levels(topology, set);
  hwloc_bitmap_free(set);
  return levels;
}

}  // namespace cow::runtime
