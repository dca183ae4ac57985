#include "api/report.hpp"

#include <cstdio>
#include <cstring>

#include "api/start.hpp"
#include "api/text.hpp"
#include "base/at_end.hpp"
#include "objects/blame.hpp"
#include "objects/comm.hpp"
#include "objects/errhandler.hpp"
#include "objects/predefined.hpp"
#include "objects/session.hpp"
#include "objects/win.hpp"

namespace cow::api {
namespace {

thread_local char line[1536];
thread_local int line_code = MPI_SUCCESS;

struct Handled {
  Errhandler* handler;
  std::uintptr_t object;  // the handle that a user's function gets
  Comm* comm;             // whose processes MPI_ERRORS_ABORT ends; may be null
};

Handled of_comm(Comm& comm) { return {comm.errhandler, comm.handle(), &comm}; }

// Errors that belong to no object are MPI_COMM_SELF's; before the start and after the end, the initial handler's.
Handled of_nothing() {
  if (Comm* self = find(MPI_COMM_SELF)) return of_comm(*self);
  return {&initial_errhandler(), reinterpret_cast<std::uintptr_t>(MPI_COMM_SELF), nullptr};
}

// One that is no error handler, or one for other objects, cannot hear of anything.
Handled of_maker(std::uintptr_t handle, HandlerKind kind, std::uintptr_t null) {
  register_predefined();  // the call may be too early
  Errhandler* const handler = find(reinterpret_cast<MPI_Errhandler>(handle));
  if (!handler || (handler->kind != HandlerKind::any && handler->kind != kind)) return of_nothing();
  return {handler, null, nullptr};
}

Handled handler_for(const Target& target, Comm* blamed) {
  if (blamed) return of_comm(*blamed);
  switch (target.what) {
    case Target::What::comm:
      if (Comm* comm = find(reinterpret_cast<MPI_Comm>(target.handle))) return of_comm(*comm);
      break;
    case Target::What::win:
      if (Win* win = find(reinterpret_cast<MPI_Win>(target.handle))) return {win->errhandler, target.handle, win->comm};
      break;
    case Target::What::file:  // files do not exist yet
      return {default_file_errhandler, target.handle, nullptr};
    case Target::What::session:
      if (Session* session = find_session(target.handle)) return {session->errhandler, target.handle, nullptr};
      break;
    case Target::What::new_comm:
      return of_maker(target.handle, HandlerKind::comm, reinterpret_cast<std::uintptr_t>(MPI_COMM_NULL));
    case Target::What::new_session:
      return of_maker(target.handle, HandlerKind::session, reinterpret_cast<std::uintptr_t>(MPI_SESSION_NULL));
    default: break;
  }
  return of_nothing();
}

}  // namespace

int report(Signature signature, Error error, Target target, const Word* words) {
  Comm* const blamed = take_blamed();
  const AtEnd releasing([blamed] {
    if (blamed) release(*blamed);
  });
  const Handled handled = handler_for(target, blamed);
  char call_text[768];
  describe_call(signature, words, call_text, sizeof call_text);
  const char* why = last_failure();
  snprintf(line, sizeof line, "%s: %s", call_text, *why ? why : class_text(error.code()));
  line_code = error.code();
  forget_failure();
  int result = error.code();
  if (strncmp(signature, "MPI_T_", 6) != 0)  // these call no handler
    result = call(*handled.handler, handled.object, handled.comm, error.code(), line);
  return result;
}

int unsupported(Signature signature, Target target, const Word* words) {
  const int length = static_cast<int>(strcspn(signature, " "));
  const Error error = fail(ErrorClass::unsupported_operation, "COW MPI does not offer %.*s yet", length, signature);
  return report(signature, error, target, words);
}

const char* last_report(int code) { return code != MPI_SUCCESS && code == line_code ? line : nullptr; }

}  // namespace cow::api
