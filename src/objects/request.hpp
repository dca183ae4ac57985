// A request: something under way that a program may wait for. What it is doing is known to whoever made it (pt2pt, a
// collective's schedule, a generalized request), who derives from Request and gives a RequestKind.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "objects/objects.hpp"
#include "runtime/lock.hpp"
#include "runtime/progress.hpp"

namespace cow {

// MPI_Status, as this library fills it: the count in bytes in internal[0..1], flags in internal[2].
inline void set_bytes(MPI_Status& status, MPI_Count bytes) { __builtin_memcpy(&status.MPI_internal[0], &bytes, 8); }
inline MPI_Count bytes_of(const MPI_Status& status) {
  MPI_Count bytes;
  __builtin_memcpy(&bytes, &status.MPI_internal[0], 8);
  return bytes;
}
inline void set_cancelled(MPI_Status& status, bool cancelled) { status.MPI_internal[2] = cancelled; }
inline bool is_cancelled(const MPI_Status& status) { return status.MPI_internal[2] != 0; }

// What MPI says a wait for nothing returns.
inline const MPI_Status empty_status{MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_SUCCESS, {0, 0, 0, 0, 0}};

// What the program sees of it, unless it asked for nothing (null). MPI_ERROR is left alone: only calls that return several
// statuses set it.
inline void show(const MPI_Status& status, MPI_Status* out) {
  if (!out) return;
  const int kept = out->MPI_ERROR;
  *out = status;
  out->MPI_ERROR = kept;
}
// Of a call that had nothing to wait for: the empty status, whose MPI_ERROR is MPI_SUCCESS, is all that there is to tell.
inline void show_empty(MPI_Status* out) {
  if (out) *out = empty_status;
}
inline MPI_Status status_of_nobody() {
  MPI_Status status = empty_status;
  status.MPI_SOURCE = MPI_PROC_NULL;
  return status;
}

struct RequestKind {
  const char* name;                                 // for messages: "send", "receive", "broadcast", …
  Error (*start)(Request&) = nullptr;               // persistent requests: begin again
  Error (*cancel)(Request&) = nullptr;              // null: cancelling does nothing
  void (*release)(Request&) = nullptr;              // the last reference is gone: give the memory back
  Error (*query)(Request&, MPI_Status&) = nullptr;  // generalized requests: fill the status at completion
  Error (*let_go)(Request&) = nullptr;  // generalized requests: the program frees what it hung on them, once
  // The program waits for it, or asks whether it is complete, and misses nothing else: what can be done to complete it
  // sooner shall be done. Null: nothing can.
  void (*needed)(Request&) = nullptr;
};

// Something to be run when a request completes. Owned by who adds it, who keeps it alive until it has run.
struct Continuation {
  Continuation* next = nullptr;
  void (*run)(Continuation&, Request&) = nullptr;
};

// References: one for the handle, one for the engine while the operation is pending.
struct Request : Object {
  explicit Request(const RequestKind& request_kind) : kind(&request_kind) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const RequestKind* kind;
  std::atomic<bool> complete{false};
  bool persistent = false;
  bool freed = false;                    // generalized requests: by the program, before it was complete
  bool active = true;                    // persistent requests: started and not yet waited for
  MPI_Status status = empty_status;      // MPI_ERROR holds the operation's error
  Comm* comm = nullptr;                  // whose error handler hears of a failure; referenced while the request lives
  std::unique_ptr<std::string> failure;  // the message that goes with status.MPI_ERROR
  Continuation* continuations = nullptr;

  bool done() const { return complete.load(std::memory_order_acquire); }
};

inline void note_needed(Request& request) {
  if (__builtin_expect(request.kind->needed != nullptr, 0)) request.kind->needed(request);
}

inline void retain(Request& request) { ++request.references; }
inline void release(Request& request) {
  if (--request.references == 0) request.kind->release(request);
}

// A request of this communicator (null: of none) has completed: descriptors become readable. See completion_fd.hpp.
extern bool completions_announced;  // somebody has such a descriptor
void announce_completion(const Comm* comm);

// The operation has ended: publishes the status. The engine keeps its reference as long as it needs it.
inline void mark_complete(Request& request, Error error = success) {
  if (error) {
    request.status.MPI_ERROR = error.code();
    request.failure = std::make_unique<std::string>(last_failure());
  }
  request.complete.store(true, std::memory_order_release);
  if (runtime::threads_multiple) {
    progress::tell_waiters();
    if (completions_announced) announce_completion(request.comm);
  }
  while (__builtin_expect(request.continuations != nullptr, 0)) {
    Continuation& first = *request.continuations;
    request.continuations = first.next;
    first.run(first, request);  // may free itself
  }
}

// Runs `continuation` when the request completes; at once when it is complete already.
inline void when_complete(Request& request, Continuation& continuation) {
  if (request.done()) return continuation.run(continuation, request);
  continuation.next = request.continuations;
  request.continuations = &continuation;
}

// The operation has ended and the engine needs the request no longer.
inline void finish(Request& request, Error error = success) {
  mark_complete(request, error);
  release(request);
}

// The error of a complete request, with its message put back into this thread's buffer.
inline Error error_of(const Request& request) {
  if (__builtin_expect(request.status.MPI_ERROR == MPI_SUCCESS, 1)) return success;
  return fail(request.status.MPI_ERROR, "%s", request.failure ? request.failure->c_str() : "");
}

}  // namespace cow
