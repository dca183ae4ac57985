// Wait, Test and their families; freeing, cancelling and looking at requests.
#include <algorithm>

#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "objects/blame.hpp"
#include "pt2pt/bodies/blaming.hpp"
#include "pt2pt/fast_path.hpp"
#include "pt2pt/pt2pt.hpp"
#include "pt2pt/waiting.hpp"
#include "runtime/progress.hpp"

namespace cow {
namespace {

using pt2pt::blaming;
using pt2pt::conclude;
using pt2pt::look_up;
using pt2pt::ready;

// A request has failed; if a function of the program threw in it, that is thrown instead.
[[gnu::cold]] void note_failure(Comm* comm) {
  if (progress::have_thrown.load(std::memory_order_relaxed)) progress::pass_thrown();
  blame(comm);
}

// Errors of one request, for the handler of its communicator.
Error conclude_blaming(MPI_Request& handle, Request& request, MPI_Status* status) {
  Comm* comm = request.comm;
  const Held held(comm);  // the request may hold the last reference
  const Error error = conclude(handle, request, status);
  if (error) note_failure(comm);
  return error;
}

// The handles that a call on several requests was given, looked up once. Null requests stay null.
class Requests {
 public:
  Error look_up_all(int count, const MPI_Request* handles) {
    if (count > small_size) {
      large_.reset(new (std::nothrow) Request*[count]);
      if (!large_) return fail(ErrorClass::no_mem, "no memory to look at %d requests", count);
      requests_ = large_.get();
    }
    for (int i = 0; i < count; ++i) {
      requests_[i] = nullptr;
      if (handles[i] == MPI_REQUEST_NULL) continue;
      if (Error error = pt2pt::look_up_in_array(handles, i, requests_[i])) return error;
    }
    return success;
  }

  Request* operator[](int i) const { return requests_[i]; }

 private:
  static constexpr int small_size = 64;
  Request* small_[small_size];
  std::unique_ptr<Request*[]> large_;
  Request** requests_ = small_;
};

bool is_active(const Request* request) { return request && (!request->persistent || request->active); }

// Concludes requests[i], and puts what happened into statuses[i] (which may be null); collects failures.
struct Batch {
  bool failed = false;

  void conclude_one(MPI_Request& handle, Request* request, MPI_Status* status) {
    if (!request) return show_empty(status);
    if (pt2pt::conclude_received(handle, *request, status)) return set_error(status, success);
    Comm* comm = request->comm;
    const Held held(comm);
    const Error error = conclude(handle, *request, status);
    set_error(status, error);
    if (error && !failed) note_failure(comm);
    failed = failed || error;
  }

  // The message is that of the last failure, which conclude() has left in place.
  Error result() const { return failed ? Error(ErrorClass::in_status) : success; }

 private:
  static void set_error(MPI_Status* status, Error error) {
    if (status) status->MPI_ERROR = error.code();
  }
};

MPI_Status* at(MPI_Status* statuses, int i) { return statuses ? statuses + i : nullptr; }

// The first that is ready, MPI_UNDEFINED when none is; `any_active` says whether one could become so.
int find_ready(int count, const Requests& requests, bool& any_active) {
  any_active = false;
  for (int i = 0; i < count; ++i) {
    if (!is_active(requests[i])) continue;
    any_active = true;
    if (requests[i]->done()) return i;
  }
  return MPI_UNDEFINED;
}

// Whether all are ready, asked again and again. When nothing is missing any more but what can be completed sooner, it is
// told so.
class AllReady {
 public:
  AllReady(int count, const Requests& requests) : count_(count), requests_(requests) {}

  bool operator()() {
    while (first_ < count_ && is_ready(first_)) ++first_;
    if (first_ == count_) return true;
    if (only_sooner()) note_all_needed();
    return false;
  }

 private:
  bool is_ready(int i) const { return !requests_[i] || ready(*requests_[i]); }

  bool only_sooner() {
    if (noted_ || !requests_[first_]->kind->needed) return false;
    next_ = std::max(next_, first_);
    while (next_ < count_ && (is_ready(next_) || requests_[next_]->kind->needed)) ++next_;
    return next_ == count_;
  }

  void note_all_needed() {
    noted_ = true;
    for (int i = first_; i < count_; ++i)
      if (!is_ready(i)) note_needed(*requests_[i]);
  }

  const int count_;
  const Requests& requests_;
  int first_ = 0;  // all before are ready
  int next_ = 0;   // all before are so, or can be completed sooner
  bool noted_ = false;
};

// None is ready, and any of them would do: they are told so, once.
class AnyNeeded {
 public:
  AnyNeeded(int count, const Requests& requests) : count_(count), requests_(requests) {}

  bool note() {  // false: nothing is ready thereby
    for (int i = 0; i < count_ && !noted_; ++i)
      if (is_active(requests_[i]) && !requests_[i]->done()) note_needed(*requests_[i]);
    noted_ = true;
    return false;
  }

 private:
  const int count_;
  const Requests& requests_;
  bool noted_ = false;
};

// For calls that poll even when they can tell of something, as others may be ready by then.
void poll_beside(int count, const Requests& requests) {
  bool any_active = false;
  if (find_ready(count, requests, any_active) == MPI_UNDEFINED && any_active)
    pt2pt::poll_asked();
  else
    progress::poll();
}

// Concludes all that are ready; MPI_UNDEFINED when none is active.
Error conclude_some(int count, const Requests& requests, MPI_Request* handles, int* outcount, int* indices,
                    MPI_Status* statuses) {
  Batch batch;
  int found = 0;
  bool any_active = false;
  for (int i = 0; i < count; ++i) {
    if (!is_active(requests[i])) continue;
    any_active = true;
    if (!requests[i]->done()) continue;
    indices[found] = i;
    batch.conclude_one(handles[i], requests[i], at(statuses, found));
    ++found;
  }
  *outcount = any_active ? found : MPI_UNDEFINED;
  return batch.result();
}

// The status of a request that a Wait would return from at once, which goes on living. Null and inactive ones are empty.
Error look_at(Request* request, MPI_Status* status) {
  if (!is_active(request)) return show_empty(status), success;
  if (request->kind->query)
    if (Error error = request->kind->query(*request, request->status)) return error;
  show(request->status, status);
  return success;
}

}  // namespace

Error body::Wait(MPI_Request* handle, MPI_Status* status) {
  if (*handle == pt2pt::sent_handle()) return pt2pt::conclude_sent(*handle, status), success;
  if (*handle == MPI_REQUEST_NULL) return show_empty(status), success;
  Request* request;
  if (Error error = look_up(*handle, request)) return error;
  if (!ready(*request)) {
    note_needed(*request);
    progress::wait_until([&] { return request->done(); });
  }
  return conclude_blaming(*handle, *request, status);
}

Error body::Test(MPI_Request* handle, int* flag, MPI_Status* status) {
  *flag = 1;
  if (*handle == MPI_REQUEST_NULL) return show_empty(status), success;
  Request* request;
  if (Error error = look_up(*handle, request)) return error;
  if (!ready(*request)) {
    pt2pt::poll_asked();
    *flag = ready(*request);
    if (!*flag) note_needed(*request);
  }
  return *flag ? conclude_blaming(*handle, *request, status) : success;
}

Error body::Waitall(int count, MPI_Request* handles, MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  AllReady all_ready(count, requests);
  progress::wait_until([&] { return all_ready(); });
  Batch batch;
  for (int i = 0; i < count; ++i) batch.conclude_one(handles[i], requests[i], at(statuses, i));
  return batch.result();
}

Error body::Testall(int count, MPI_Request* handles, int* flag, MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  AllReady all_ready(count, requests);
  *flag = all_ready();
  if (!*flag) {
    pt2pt::poll_asked();
    *flag = all_ready();
  }
  if (!*flag) return success;
  Batch batch;
  for (int i = 0; i < count; ++i) batch.conclude_one(handles[i], requests[i], at(statuses, i));
  return batch.result();
}

Error body::Waitany(int count, MPI_Request* handles, int* index, MPI_Status* status) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  bool any_active = false;
  int found = MPI_UNDEFINED;
  AnyNeeded needed(count, requests);
  progress::wait_until([&] {
    found = find_ready(count, requests, any_active);
    return found != MPI_UNDEFINED || !any_active || needed.note();
  });
  *index = found;
  if (found == MPI_UNDEFINED) return show_empty(status), success;
  return conclude_blaming(handles[found], *requests[found], status);
}

Error body::Testany(int count, MPI_Request* handles, int* index, int* flag, MPI_Status* status) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  bool any_active = false;
  *index = find_ready(count, requests, any_active);
  if (*index == MPI_UNDEFINED && any_active) {
    AnyNeeded(count, requests).note();
    pt2pt::poll_asked();
    *index = find_ready(count, requests, any_active);
  }
  *flag = *index != MPI_UNDEFINED || !any_active;
  if (*index != MPI_UNDEFINED) return conclude_blaming(handles[*index], *requests[*index], status);
  if (*flag) show_empty(status);
  return success;
}

Error body::Waitsome(int count, MPI_Request* handles, int* outcount, int* indices, MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  bool any_active = false;
  AnyNeeded needed(count, requests);
  progress::wait_until(
      [&] { return find_ready(count, requests, any_active) != MPI_UNDEFINED || !any_active || needed.note(); });
  return conclude_some(count, requests, handles, outcount, indices, statuses);
}

Error body::Testsome(int count, MPI_Request* handles, int* outcount, int* indices, MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  poll_beside(count, requests);
  const Error error = conclude_some(count, requests, handles, outcount, indices, statuses);
  if (*outcount == 0) AnyNeeded(count, requests).note();
  return error;
}

Error body::Request_free(MPI_Request* handle) {
  Request* request;
  if (Error error = look_up(*handle, request)) return error;
  if (request == &pt2pt::sent_request) return *handle = MPI_REQUEST_NULL, success;
  if (request->kind->let_go && !request->done()) {  // a generalized one: the program will complete it by this handle
    *handle = MPI_REQUEST_NULL;
    request->freed = true;
    return success;
  }
  return pt2pt::end_handle(*handle, *request, success);
}

Error body::Cancel(MPI_Request* handle) {
  Request* request;
  if (Error error = look_up(*handle, request)) return error;
  // A generalized request hears of it even when it is complete.
  if (!request->kind->cancel || (request->done() && !request->kind->query)) return success;
  return blaming(*request, request->kind->cancel(*request));
}

Error body::Request_get_status(MPI_Request handle, int* flag, MPI_Status* status) {
  *flag = 1;
  if (handle == MPI_REQUEST_NULL) return show_empty(status), success;
  Request* request;
  if (Error error = look_up(handle, request)) return error;
  if (!ready(*request)) pt2pt::poll_asked();
  *flag = ready(*request);
  if (!*flag) note_needed(*request);
  return *flag ? look_at(request, status) : success;
}

Error body::Request_get_status_all(int count, const MPI_Request* handles, int* flag, MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  AllReady all_ready(count, requests);
  if (!all_ready()) pt2pt::poll_asked();
  *flag = all_ready();
  if (!*flag) return success;
  for (int i = 0; i < count; ++i)
    if (Error error = look_at(requests[i], at(statuses, i))) return error;
  return success;
}

Error body::Request_get_status_any(int count, const MPI_Request* handles, int* index, int* flag, MPI_Status* status) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  bool any_active = false;
  *index = find_ready(count, requests, any_active);
  if (*index == MPI_UNDEFINED && any_active) {
    AnyNeeded(count, requests).note();
    pt2pt::poll_asked();
    *index = find_ready(count, requests, any_active);
  }
  *flag = *index != MPI_UNDEFINED || !any_active;
  if (!*flag) return success;
  return look_at(*index == MPI_UNDEFINED ? nullptr : requests[*index], status);
}

Error body::Request_get_status_some(int count, const MPI_Request* handles, int* outcount, int* indices,
                                    MPI_Status* statuses) {
  Requests requests;
  if (Error error = requests.look_up_all(count, handles)) return error;
  poll_beside(count, requests);
  int found = 0;
  bool any_active = false;
  for (int i = 0; i < count; ++i) {
    if (!is_active(requests[i])) continue;
    any_active = true;
    if (!requests[i]->done()) continue;
    indices[found] = i;
    if (Error error = look_at(requests[i], at(statuses, found))) return error;
    ++found;
  }
  *outcount = any_active ? found : MPI_UNDEFINED;
  if (*outcount == 0) AnyNeeded(count, requests).note();
  return success;
}

}  // namespace cow
