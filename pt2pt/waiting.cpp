#include "pt2pt/waiting.hpp"

#include "base/at_end.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/progress.hpp"

namespace cow::pt2pt {

Error give_handle(Request& request, MPI_Request* out) {
  if (&request == &sent_request) {
    release(request);
    *out = sent_handle();
    return success;
  }
  if (Error error = table<Request>().insert(request)) {
    release(request);
    return error;
  }
  *out = handle_of(request);
  return success;
}

Error look_up(MPI_Request handle, Request*& out) {
  out = find(handle);
  if (out) return success;
  return fail(ErrorClass::request, "the request (%p) is none: it was freed, or never was one",
              reinterpret_cast<void*>(handle));
}

Error look_up_in_array(const MPI_Request* handles, int i, Request*& out) {
  out = find(handles[i]);
  if (out) return success;
  return fail(ErrorClass::request, "array_of_requests[%d] (%p) is no request: it was freed, or never was one", i,
              reinterpret_cast<void*>(handles[i]));
}

bool conclude_received(MPI_Request& handle, Request& request, MPI_Status* status) {
  if (request.kind != &receive_kind || request.status.MPI_ERROR != MPI_SUCCESS) return false;
  table<Request>().erase(request);
  see_received(handle, request, status);
  return true;
}

Error end_handle(MPI_Request& handle, Request& request, Error error) {
  table<Request>().erase(request);
  handle = MPI_REQUEST_NULL;
  const AtEnd releasing([&] { release(request); });  // the engine keeps its own reference until the operation has ended
  if (request.kind->let_go) {
    // An error that came before is the one to tell, in its own words.
    const std::string first = error ? last_failure() : "";
    const Error freed = request.kind->let_go(request);
    if (error)
      fail(error.code(), "%s", first.c_str()).ignore();
    else
      error = freed;
  }
  return error;
}

Error conclude(MPI_Request& handle, Request& request, MPI_Status* status) {
  if (&request == &sent_request) return conclude_sent(handle, status), success;
  if (request.persistent && !request.active) {
    show_empty(status);
    return success;
  }
  Error error = success;
  if (request.kind->query) error = request.kind->query(request, request.status);
  if (!error) error = error_of(request);
  show(request.status, status);
  if (request.persistent) {
    request.active = false;
    return error;
  }
  return end_handle(handle, request, error);
}

void give_up(Request& request) {
  const progress::Settling settling;
  const AtEnd releasing([&] { release(request); });
  if (!request.done() && request.kind->cancel) request.kind->cancel(request).ignore();
  progress::wait_until([&] { return request.done(); });
}

Error wait(Request& request, MPI_Status* status) {
  if (!request.done()) {
    AtEnd giving_up([&] { give_up(request); });
    note_needed(request);
    progress::wait_until([&] { return request.done(); });
    giving_up.forget();
  }
  const Error error = error_of(request);
  if (status) *status = request.status;
  release(request);
  return error;
}

}  // namespace cow::pt2pt
