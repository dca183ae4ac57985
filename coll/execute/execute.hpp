// A collective call that has been made ready, done: at once, as a request, or as a persistent request.
#pragma once

#include "coll/core/call.hpp"

namespace cow::coll {

// Whether the memory that ranks of a node share can be used for it: the same answer at every rank.
bool can_use_memory(const Operation& operation);
// The measure as it lies in memory; of blocks of any length that all know, the longest.
Count measure_in_memory(const Operation& operation);

// Runs it now: directly on shared memory where the communicator has come to that, else by messages.
Error run_blocking(Operation& operation);
Error run_by_messages(Operation& operation);

// Begins it: the request is the caller's (one reference).
Error begin(Operation& operation, Request*& out);

// Makes it persistent: an inactive request.
Error make_persistent(Operation& operation, Request*& out);

}  // namespace cow::coll
