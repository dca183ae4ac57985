// Waiting for requests, as the bindings see it: handles in, statuses out.
#pragma once

#include "objects/request.hpp"
#include "runtime/asking.hpp"
#include "transport/peer.hpp"

namespace cow::pt2pt {

// Gives a request (with the caller's reference, which becomes the handle's) its handle.
Error give_handle(Request& request, MPI_Request* out);

// The request behind a handle that is not MPI_REQUEST_NULL; fails on one that is freed or made up.
Error look_up(MPI_Request handle, Request*& out);
Error look_up_in_array(const MPI_Request* handles, int i, Request*& out);  // array_of_requests of a call

// A complete (or inactive) request is seen by the program: fills the status (may be null), ends the handle of one that
// is not persistent, and returns the operation's error. The status's MPI_ERROR is left alone.
Error conclude(MPI_Request& handle, Request& request, MPI_Status* status);

// Ends the handle. Returns `error`, which the caller has met before; else that of a program's function that frees.
Error end_handle(MPI_Request& handle, Request& request, Error error);

// The same as conclude() for the request of all sends that were complete at once: nothing is freed, nothing can have failed.
inline void conclude_sent(MPI_Request& handle, MPI_Status* status) {
  show(empty_status, status);
  handle = MPI_REQUEST_NULL;
}

// As conclude(), for a complete receive that went well, as nearly all do, and without its steps that only others need;
// false: it is something else, and nothing was done.
bool conclude_received(MPI_Request& handle, Request& request, MPI_Status* status);

// Whether a Wait on it returns at once.
inline bool ready(const Request& request) { return request.done() || (request.persistent && !request.active); }

// The poll of a call that does not wait.
inline std::size_t poll_asked() {
  return progress::poll_asked(transport::counters.sent + transport::counters.received);
}

}  // namespace cow::pt2pt
