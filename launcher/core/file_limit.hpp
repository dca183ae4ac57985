// How many descriptors a process may have open (ulimit -n). The user's soft limit is for the ranks; mpirun and the agents,
// which hold several for each rank, take all that the hard limit allows.
#pragma once

#include <cstddef>
#include <string>

namespace cow::launch {

// The soft limit becomes the hard one. What it was is remembered.
void raise_file_limit();

// In a child, before exec: the limit is as raise_file_limit() found it. Nothing but a system call.
void restore_file_limit();

// Says in one line that `who` needs more descriptors than it may have; empty: it may. `why`: what they are for.
std::string lack_of_files(std::size_t needed, const std::string& who, const std::string& why);

// What each agent that this process starts takes here: two ends of a channel, what the remote shell says, a keepalive.
inline constexpr std::size_t files_of_child = 4;

}  // namespace cow::launch
