#include "objects/errhandler.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/at_end.hpp"
#include "base/settings.hpp"
#include "objects/last_reference.hpp"

namespace cow {
namespace {

Errhandler predefined(Errhandler::Action action) {
  Errhandler handler;
  handler.action = action;
  return handler;
}

Errhandler& held(Errhandler& handler) {
  retain(handler);
  return handler;
}

void print_and_exit(Comm*, int code, const char* text) {
  fprintf(stderr, "%s\n", text);
  exit(code > 0 && code < 256 ? code : 1);
}

}  // namespace

Errhandler errors_are_fatal = predefined(Errhandler::Action::fatal);
Errhandler errors_abort = predefined(Errhandler::Action::abort);
Errhandler errors_return = predefined(Errhandler::Action::returns);
Errhandler* default_file_errhandler = &held(errors_return);
void (*end_job)(Comm* comm, int code, const char* text) = print_and_exit;

Errhandler& initial_errhandler() {
  const std::string& name = settings().initial_errhandler;
  return name == "mpi_errors_return" ? errors_return : name == "mpi_errors_abort" ? errors_abort : errors_are_fatal;
}

Error create_errhandler(HandlerKind kind, Errhandler::Trampoline trampoline, void* function, Errhandler*& out) {
  auto* handler = new Errhandler;
  handler->action = Errhandler::Action::user;
  handler->kind = kind;
  handler->trampoline = trampoline;
  handler->function = function;
  if (const Error error = table<Errhandler>().insert(*handler)) {
    delete handler;
    return error;
  }
  handler->handles = 1;
  out = handler;
  return success;
}

void release(Errhandler& handler) {
  if (drop_reference(handler)) delete &handler;
}

MPI_Errhandler give_handle(Errhandler& handler) {
  if (!handler.predefined()) {
    // Freed by the program, yet attached: the number is gone, so it gets another.
    if (handler.index == 0 && table<Errhandler>().insert(handler)) return MPI_ERRHANDLER_NULL;
    ++handler.handles;
    retain(handler);
  }
  return handle_of(handler);
}

void free_handle(Errhandler& handler) {
  if (handler.predefined()) return;
  if (--handler.handles == 0) table<Errhandler>().erase(handler);
  release(handler);
}

void replace(Errhandler*& slot, Errhandler& handler) {
  retain(handler);
  if (slot) release(*slot);
  slot = &handler;
}

int call(Errhandler& handler, std::uintptr_t object, Comm* comm, int code, const char* text) {
  switch (handler.action) {
    case Errhandler::Action::returns: break;
    case Errhandler::Action::fatal: end_job(nullptr, code, text); break;
    case Errhandler::Action::abort: end_job(comm, code, text); break;
    case Errhandler::Action::user: {
      const Held held_here(handler);  // the function may set another
      handler.trampoline(handler.function, object, &code);
      break;
    }
  }
  return code;
}

}  // namespace cow
