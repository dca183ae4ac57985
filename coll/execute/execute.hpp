// A collective call that has been made ready, done: at once, as a request, or as a persistent request.
#pragma once

#include "coll/core/call.hpp"

namespace cow::coll {

// Runs it now: directly on shared memory where the communicator has come to that, else by messages.
Error run_blocking(Operation& operation);
Error run_by_messages(Operation& operation);

// Begins it: the request is the caller's (one reference).
Error begin(Operation& operation, Request*& out);

// Makes it persistent: an inactive request.
Error make_persistent(Operation& operation, Request*& out);

}  // namespace cow::coll
