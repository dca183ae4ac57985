// Process sets: named groups. The standard's two; "cow://NODE", the ranks of this node; and those that the launcher has
// named.
#pragma once

#include <string>
#include <vector>

#include "objects/group.hpp"

namespace cow {

std::vector<std::string> process_set_names();

// A new group with one reference; null when there is no such set. Upper and lower case are alike in the names of the
// standard's sets and our own, not in the launcher's.
Group* make_process_set(const std::string& name);

}  // namespace cow
