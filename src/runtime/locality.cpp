#include "runtime/locality.hpp"

#include <hwloc.h>

namespace cow::runtime {
namespace {

// The object of a type that holds all of the set; -1 when none does, or there is none of that type.
std::int32_t holding(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_const_cpuset_t set) {
  hwloc_obj_t object = nullptr;
  while ((object = hwloc_get_next_obj_by_type(topology, type, object)))
    if (hwloc_bitmap_isincluded(set, object->cpuset)) return static_cast<std::int32_t>(object->logical_index);
  return -1;
}

Locality read_locality() {
  Locality out;
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0) return out;
  // With what a cgroup forbids, so that numbers mean the same in every process.
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  hwloc_cpuset_t const set = hwloc_bitmap_alloc();
  if (set && hwloc_topology_load(topology) == 0 && hwloc_get_cpubind(topology, set, HWLOC_CPUBIND_PROCESS) == 0) {
    out.package = holding(topology, HWLOC_OBJ_PACKAGE, set);
    out.cache = holding(topology, HWLOC_OBJ_L3CACHE, set);
    if (hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_L3CACHE) < 1)
      out.cache = holding(topology, HWLOC_OBJ_NUMANODE, set);
    out.core = holding(topology, HWLOC_OBJ_CORE, set);
  }
  hwloc_bitmap_free(set);
  hwloc_topology_destroy(topology);
  return out;
}

}  // namespace

const Locality& locality() {
  static const Locality known = read_locality();
  return known;
}

}  // namespace cow::runtime
