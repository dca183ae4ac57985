// What a rank inherits from this library's own launcher by descriptor: the job's key, and the memory that the ranks of its
// node share. A program between the launcher and this one may have closed them (and other files have their numbers by
// now); then the agent is asked for them (agent_line.hpp), which gives them to processes of its user below its ranks.
#pragma once

#include "base/error.hpp"
#include "base/siphash.hpp"

namespace cow::runtime {

// Whether the launcher that has started this process gave it such descriptors, open or not.
bool has_inheritance();

// The job's key. False: it was not given, or is not to be had any more.
bool take_key(bool by_line, SipKey& out);

// Finds the memory, or asks for it at the line, before others ask there.
void take_memory(bool by_line);

// Its descriptor, the caller's from now on; -1: there is none. An error when the launcher gave it and it is not to be had.
Error shared_memory_of_node(int& descriptor);

// The error of what was given and is not to be had.
Error inheritance_is_lost();

}  // namespace cow::runtime
