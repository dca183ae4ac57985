// What the kernel says of this process's memory.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"

namespace cow::runtime {

struct Range {
  std::uintptr_t begin, end;  // addresses
};

struct Mappings {
  std::vector<Range> wanted;  // the parts of the range asked for, in order
  std::vector<Range> others;  // private memory elsewhere, in pieces of some size; without this thread's stack
};

// Fails when a part of the range is not mapped, or is of a kind that fork() does not keep as it was: shared memory, files.
Error find_mappings(Range range, Mappings& out);

}  // namespace cow::runtime
