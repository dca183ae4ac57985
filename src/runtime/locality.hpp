// Where inside its node this process may run, by hwloc.
#pragma once

#include <cstdint>

namespace cow::runtime {

// Logical numbers, the same for all processes of the node; -1 where the process may run in more than one. Read from
// hwloc at the first call, which takes some milliseconds.
struct Locality {
  std::int32_t package = -1;
  std::int32_t cache = -1;  // the last-level cache, or the memory where there is none
  std::int32_t core = -1;
};

const Locality& locality();

}  // namespace cow::runtime
