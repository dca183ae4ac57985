// Processes that take the place of a rank's first one: a wrapper (setsid, say) starts the program and ends before it. This process
// is a subreaper, so they become its children then.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cow::launch {

// The child of this process that `pid` is or descends from; 0: it is gone, or none of its family.
pid_t child_above(pid_t pid);

// All children of this process.
std::vector<pid_t> own_children();

// Whether a process was started as part of this rank of the job, by its environment.
bool is_part_of(pid_t pid, const std::string& job, std::uint32_t rank);

}  // namespace cow::launch
