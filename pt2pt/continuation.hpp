// Callbacks on completion: a function of the program that is called once, when one request or all of several are
// complete, by whichever thread makes progress, or by one of the library's.
#pragma once

#include "objects/request.hpp"

namespace cow::pt2pt {

using Callback = void (*)(int error, void* state);

struct Continue {
  Callback callback;
  void* state;
  bool immediate = false;  // may be called at once when all are complete already
  bool in_thread = false;  // by a thread of the library
};

// A request that is complete when no callback registered with it is outstanding. Persistent, inactive until one is.
Request* make_continuation_request();
bool is_continuation_request(const Request& request);

// Takes over the handles: those that are not persistent become null. `statuses` (may be null) are filled before the call.
Error continue_all(int count, MPI_Request* handles, const Continue& what, MPI_Status* statuses, Request* set);

}  // namespace cow::pt2pt
