#include "pt2pt/continuation.hpp"

#include <memory>
#include <vector>

#include "base/at_end.hpp"
#include "pt2pt/waiting.hpp"
#include "runtime/thread_pool.hpp"

namespace cow::pt2pt {
namespace {

struct Set : Request {
  Set();
  std::size_t open = 0;  // callbacks that have not returned
};

const RequestKind set_kind{
    .name = "set of continuations",
    .start = [](Request&) { return fail(ErrorClass::request, "a set of continuations begins with MPIX_Continue"); },
    .release = [](Request& request) { delete static_cast<Set*>(&request); }};

Set::Set() : Request(set_kind) {
  persistent = true;
  active = false;
}

// One registration. It holds the handles' references until it concludes the requests.
struct Pending : progress::Deferred, runtime::Task {
  struct Part : Continuation {
    Pending* pending = nullptr;
    Request* request = nullptr;
    MPI_Request handle = MPI_REQUEST_NULL;
  };

  Continue what{};
  MPI_Status* statuses = nullptr;
  Set* set = nullptr;  // referenced
  std::vector<Part> parts;
  std::size_t open = 1;  // parts that are not complete, and one until all are registered
  int error = MPI_SUCCESS;
};

// Under the lock: the requests end as a Wait would end them.
void conclude_all(Pending& pending) {
  for (std::size_t i = 0; i < pending.parts.size(); ++i) {
    Pending::Part& part = pending.parts[i];
    MPI_Status* const status = pending.statuses ? &pending.statuses[i] : nullptr;
    Error error = success;
    if (part.request) {
      error = conclude(part.handle, *part.request, status);
    } else if (status) {
      *status = empty_status;
    }
    if (status && pending.parts.size() > 1) status->MPI_ERROR = error.code();
    if (error && pending.error == MPI_SUCCESS) pending.error = error.code();
  }
}

void end(Pending* pending) {
  if (Set* const set = pending->set) {
    if (--set->open == 0) mark_complete(*set);
    release(*set);
  }
  delete pending;
}

// Without the lock.
void call(Pending* pending) {
  const AtEnd ending([=] {
    const runtime::Guard guard;
    end(pending);
  });
  {
    const runtime::Guard guard;
    conclude_all(*pending);
  }
  pending->what.callback(pending->error, pending->what.state);
}

void part_done(Pending& pending) {
  if (--pending.open > 0) return;
  if (pending.what.in_thread) return runtime::run_in_pool(pending);
  progress::defer(pending);
}

Pending* make_pending(const Continue& what, MPI_Status* statuses, Request* set) {
  auto* pending = new Pending;
  pending->what = what;
  pending->statuses = statuses;
  pending->Deferred::run = [](progress::Deferred& self) { call(&static_cast<Pending&>(self)); };
  pending->Task::run = [](runtime::Task& self) { call(&static_cast<Pending&>(self)); };
  if (!set) return pending;
  pending->set = static_cast<Set*>(set);
  retain(*set);
  ++pending->set->open;
  set->active = true;
  set->complete = false;
  return pending;
}

bool ready_at_once(const Pending& pending) {
  for (const Pending::Part& part : pending.parts)
    if (part.request && !ready(*part.request)) return false;
  return true;
}

}  // namespace

Request* make_continuation_request() { return new Set; }
bool is_continuation_request(const Request& request) { return request.kind == &set_kind; }

Error continue_all(int count, MPI_Request* handles, const Continue& what, MPI_Status* statuses, Request* set) {
  std::vector<Pending::Part> parts(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].handle = handles[i];
    if (handles[i] == MPI_REQUEST_NULL) continue;
    if (Error error = look_up(handles[i], parts[i].request)) return error;
    if (is_continuation_request(*parts[i].request))
      return fail(ErrorClass::request, "a set of continuations cannot be continued itself");
  }
  Pending* const pending = make_pending(what, statuses, set);
  pending->parts = std::move(parts);
  for (std::size_t i = 0; i < pending->parts.size(); ++i)
    if (pending->parts[i].request && !pending->parts[i].request->persistent) handles[i] = MPI_REQUEST_NULL;
  if (what.immediate && !what.in_thread && ready_at_once(*pending)) {
    const runtime::Released released;
    call(pending);
    return success;
  }
  for (Pending::Part& part : pending->parts) {
    if (!part.request || ready(*part.request)) continue;
    part.pending = pending;
    part.run = [](Continuation& self, Request&) { part_done(*static_cast<Pending::Part&>(self).pending); };
    ++pending->open;
    when_complete(*part.request, part);
  }
  part_done(*pending);
  return success;
}

}  // namespace cow::pt2pt
