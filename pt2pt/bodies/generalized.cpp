// Generalized requests: operations of the program's own, which it completes itself.
#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {
namespace {

struct Generalized : Request {
  using Request::Request;
  MPI_Grequest_query_function* query = nullptr;
  MPI_Grequest_free_function* free = nullptr;
  MPI_Grequest_cancel_function* cancel = nullptr;
  void* extra = nullptr;
};

Error said(int code, const char* what) {
  if (code == MPI_SUCCESS) return success;
  return fail(code, "the %s function of the generalized request returned %d", what, code);
}

Error query(Request& request, MPI_Status& status) {
  auto& self = static_cast<Generalized&>(request);
  const int kept = status.MPI_ERROR;
  const Error error = said(self.query(self.extra, &status), "query");
  status.MPI_ERROR = kept;
  return error;
}

Error cancel(Request& request) {
  auto& self = static_cast<Generalized&>(request);
  return said(self.cancel(self.extra, self.done()), "cancel");
}

// Called by whichever call comes last of the one that ends the handle and MPI_Grequest_complete, which then returns what
// the program's function returned.
Error let_go(Request& request) {
  auto& self = static_cast<Generalized&>(request);
  return said(self.free(self.extra), "free");
}

void release_generalized(Request& request) { delete &static_cast<Generalized&>(request); }

const RequestKind generalized{
    .name = "generalized request", .cancel = cancel, .release = release_generalized, .query = query, .let_go = let_go};

}  // namespace

Error body::Grequest_start(MPI_Grequest_query_function* query_fn, MPI_Grequest_free_function* free_fn,
                           MPI_Grequest_cancel_function* cancel_fn, void* extra_state, MPI_Request* request) {
  const std::pair<bool, const char*> given[] = {
      {query_fn != nullptr, "query_fn"}, {free_fn != nullptr, "free_fn"}, {cancel_fn != nullptr, "cancel_fn"}};
  for (const auto& [is_given, name] : given)
    if (!is_given) return fail(ErrorClass::arg, "%s is a null pointer", name);
  auto* self = new Generalized(generalized);
  self->query = query_fn;
  self->free = free_fn;
  self->cancel = cancel_fn;
  self->extra = extra_state;
  if (Error error = pt2pt::give_handle(*self, request)) return error;
  retain(*self);  // until the program completes it
  return success;
}

Error body::Grequest_complete(MPI_Request handle) {
  Request* request;
  if (Error error = pt2pt::look_up(handle, request)) return error;
  if (request->kind != &generalized) return fail(ErrorClass::request, "the request is not a generalized one");
  if (request->done()) return fail(ErrorClass::request, "the generalized request has been completed already");
  const bool freed = request->freed;
  if (freed) table<Request>().erase(*request);
  const AtEnd releasing([=] {
    if (freed) release(*request);  // for the handle
    release(*request);
  });
  mark_complete(*request);
  return freed ? let_go(*request) : success;
}

}  // namespace cow
