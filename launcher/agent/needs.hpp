// What the agent of a node must have before it starts its ranks.
#pragma once

#include <cstddef>
#include <string>

#include "launcher/core/job.hpp"

namespace cow::launch {

// Says in one line that this agent may not have as many descriptors open as its ranks need, and the agents below it;
// empty: it may.
std::string lack_of_descriptors(const Job& job, std::size_t children);

}  // namespace cow::launch
