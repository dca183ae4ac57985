// The functions of mpix.h that tell of completion: callbacks, descriptors, progress.
#pragma GCC visibility push(default)
#include <mpix.h>
#pragma GCC visibility pop

#include "api/mpix_call.hpp"
#include "api/running.hpp"
#include "objects/completion_fd.hpp"
#include "pt2pt/active_fast_path.hpp"
#include "pt2pt/continuation.hpp"
#include "pt2pt/waiting.hpp"
#include "runtime/progress.hpp"

using namespace cow;
using api::word;

namespace {

Error find_set(MPI_Request handle, Request*& out) {
  out = nullptr;
  if (handle == MPI_REQUEST_NULL) return success;
  if (Error error = pt2pt::look_up(handle, out)) return error;
  return pt2pt::is_continuation_request(*out) ? success
                                              : fail(ErrorClass::request, "set was not made by MPIX_Continue_init");
}

Error register_callback(int count, MPI_Request* requests, const pt2pt::Continue& what, int flags, MPI_Status* statuses,
                        MPI_Request set) {
  if (Error error = api::check_count(count, "count", api::Width::small)) return error;
  if (count > 0)
    if (Error error = api::check_pointer(requests, "requests")) return error;
  if (!what.callback) return fail(ErrorClass::arg, "callback is a null pointer");
  if (flags & ~(MPIX_CONT_IMMEDIATE | MPIX_CONT_THREAD))
    return fail(ErrorClass::arg, "flags is %d, expected MPIX_CONT_IMMEDIATE, MPIX_CONT_THREAD, both or none", flags);
  Request* found;
  if (Error error = find_set(set, found)) return error;
  if (what.in_thread)
    if (Error error = api::use_progress_thread()) return error;
  return pt2pt::continue_all(count, requests, what, statuses, found);
}

pt2pt::Continue read(MPIX_Continue_cb* callback, void* state, int flags) {
  return {callback, state, (flags & MPIX_CONT_IMMEDIATE) != 0, (flags & MPIX_CONT_THREAD) != 0};
}

}  // namespace

int MPIX_Continue_init(MPI_Request* set) {
  return api::extension("MPIX_Continue_init p:set", api::target(), {word(set)}, [&]() -> Error {
    if (Error error = api::check_pointer(set, "set")) return error;
    return pt2pt::give_handle(*pt2pt::make_continuation_request(), set);
  });
}

int MPIX_Continue(MPI_Request* request, MPIX_Continue_cb* callback, void* state, int flags, MPI_Status* status,
                  MPI_Request set) {
  return api::extension<runtime::AlwaysGuard>(
      "MPIX_Continue p:request p:callback p:state i:flags u:status q:set", api::target(),
      {word(request), word(callback), word(state), word(flags), word(status), word(set)},
      [&] { return register_callback(1, request, read(callback, state, flags), flags, status, set); });
}

int MPIX_Continueall(int count, MPI_Request requests[], MPIX_Continue_cb* callback, void* state, int flags,
                     MPI_Status statuses[], MPI_Request set) {
  return api::extension<runtime::AlwaysGuard>(
      "MPIX_Continueall i:count p:requests p:callback p:state i:flags v:statuses q:set", api::target(),
      {word(count), word(requests), word(callback), word(state), word(flags), word(statuses), word(set)},
      [&] { return register_callback(count, requests, read(callback, state, flags), flags, statuses, set); });
}

int MPIX_Completion_fd(MPI_Comm comm, int* fd) {
  return api::extension<runtime::AlwaysGuard>(
      "MPIX_Completion_fd c:comm p:fd", api::target(comm), {word(comm), word(fd)}, [&]() -> Error {
        if (Error error = api::check_pointer(fd, "fd")) return error;
        Comm* const found = find(comm);
        if (comm != MPI_COMM_NULL)
          if (Error error = api::check_handle(found, MPI_ERR_COMM, "comm", comm)) return error;
        if (Error error = api::use_progress_thread()) return error;
        return completion_fd(comm == MPI_COMM_NULL ? nullptr : found, *fd);
      });
}

int MPIX_Progress(int* moved) {
  return api::extension("MPIX_Progress p:moved", api::target(), {word(moved)}, [&] {
    const std::size_t events = pt2pt::poll_asked();
    if (moved) *moved = events > 0;
    return success;
  });
}

int MPIX_Progress_until(const volatile int* flag) {
  if (flag && pt2pt::short_peers && pt2pt::handler_sets(flag)) return MPI_SUCCESS;
  return api::extension("MPIX_Progress_until p:flag", api::target(), {word(flag)}, [&]() -> Error {
    if (Error error = api::check_pointer(const_cast<const int*>(flag), "flag")) return error;
    if (progress::is_polling()) return fail(ErrorClass::other, "a handler that runs in progress cannot wait");
    progress::wait_until([&] { return pt2pt::is_set(flag); });
    return success;
  });
}
