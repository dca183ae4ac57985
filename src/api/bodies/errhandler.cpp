// Error handlers.
#include "objects/errhandler.hpp"

#include <cstdio>

#include "api/bodies.hpp"
#include "api/report.hpp"
#include "api/user_errors.hpp"
#include "objects/comm.hpp"
#include "objects/session.hpp"
#include "objects/win.hpp"

namespace cow {
namespace {

// The C functions for communicators, windows, files and sessions differ in the type of the handle only.
template <class Handle>
void call_in_c(void* function, std::uintptr_t object, int* code) {
  auto handle = reinterpret_cast<Handle>(object);
  reinterpret_cast<void (*)(Handle*, int*, ...)>(function)(&handle, code);
}

template <class Handle>
Error create(HandlerKind kind, void* function, MPI_Errhandler* out) {
  if (!function) return fail(ErrorClass::arg, "the error handler's function is a null pointer");
  Errhandler* handler;
  if (const Error error = create_errhandler(kind, call_in_c<Handle>, function, handler)) return error;
  *out = handle_of(*handler);
  return success;
}

const char* name_of(HandlerKind kind) {
  switch (kind) {
    case HandlerKind::comm: return "communicators";
    case HandlerKind::win: return "windows";
    case HandlerKind::file: return "files";
    case HandlerKind::session: return "sessions";
    case HandlerKind::any: break;
  }
  return "all objects";
}

Error set(Errhandler*& slot, HandlerKind kind, Errhandler& handler) {
  if (handler.kind != kind && handler.kind != HandlerKind::any)
    return fail(ErrorClass::errhandler, "the error handler was created for %s, not for %s", name_of(handler.kind),
                name_of(kind));
  replace(slot, handler);
  return success;
}

// A program's call of an object's handler.
Error call_handler(Errhandler& handler, std::uintptr_t object, Comm* comm, const char* function, int code) {
  int error_class;
  if (const Error error = api::class_of(code, error_class)) return error;
  const std::string* own = api::own_text(code);
  const char* standard = own ? own->c_str() : api::class_text(code);
  char text[MPI_MAX_ERROR_STRING + 128];
  snprintf(text, sizeof text, "%s(errorcode=%d): %s", function, code, standard ? standard : "");
  call(handler, object, comm, code, text);
  return success;
}

}  // namespace

Error body::Comm_create_errhandler(MPI_Comm_errhandler_function* comm_errhandler_fn, MPI_Errhandler* errhandler) {
  return create<MPI_Comm>(HandlerKind::comm, reinterpret_cast<void*>(comm_errhandler_fn), errhandler);
}

Error body::Win_create_errhandler(MPI_Win_errhandler_function* win_errhandler_fn, MPI_Errhandler* errhandler) {
  return create<MPI_Win>(HandlerKind::win, reinterpret_cast<void*>(win_errhandler_fn), errhandler);
}

Error body::File_create_errhandler(MPI_File_errhandler_function* file_errhandler_fn, MPI_Errhandler* errhandler) {
  return create<MPI_File>(HandlerKind::file, reinterpret_cast<void*>(file_errhandler_fn), errhandler);
}

Error body::Session_create_errhandler(MPI_Session_errhandler_function* session_errhandler_fn,
                                      MPI_Errhandler* errhandler) {
  return create<MPI_Session>(HandlerKind::session, reinterpret_cast<void*>(session_errhandler_fn), errhandler);
}

Error body::Errhandler_free(MPI_Errhandler* errhandler) {
  free_handle(*find(*errhandler));
  *errhandler = MPI_ERRHANDLER_NULL;
  return success;
}

Error body::Comm_get_errhandler(Comm& comm, MPI_Errhandler* errhandler) {
  *errhandler = give_handle(*comm.errhandler);
  return success;
}

Error body::Comm_set_errhandler(Comm& comm, Errhandler& errhandler) {
  return set(comm.errhandler, HandlerKind::comm, errhandler);
}

Error body::Comm_call_errhandler(Comm& comm, int errorcode) {
  return call_handler(*comm.errhandler, comm.handle(), &comm, "MPI_Comm_call_errhandler", errorcode);
}

Error body::Win_get_errhandler(Win& win, MPI_Errhandler* errhandler) {
  *errhandler = give_handle(*win.errhandler);
  return success;
}

Error body::Win_set_errhandler(Win& win, Errhandler& errhandler) {
  return set(win.errhandler, HandlerKind::win, errhandler);
}

Error body::Win_call_errhandler(Win& win, int errorcode) {
  return call_handler(*win.errhandler, win.handle(), win.comm, "MPI_Win_call_errhandler", errorcode);
}

Error body::Session_get_errhandler(Session& session, MPI_Errhandler* errhandler) {
  *errhandler = give_handle(*session.errhandler);
  return success;
}

Error body::Session_set_errhandler(Session& session, Errhandler& errhandler) {
  return set(session.errhandler, HandlerKind::session, errhandler);
}

Error body::Session_call_errhandler(Session& session, int errorcode) {
  return call_handler(*session.errhandler, session.handle(), nullptr, "MPI_Session_call_errhandler", errorcode);
}

// Of files there is only MPI_FILE_NULL yet, whose handler is what new files begin with.
namespace {

Error require_file_null(const File* file) {
  return file ? fail(ErrorClass::unsupported_operation, "COW MPI does not offer files yet") : success;
}

}  // namespace

Error body::File_get_errhandler(File* file, MPI_Errhandler* errhandler) {
  if (const Error error = require_file_null(file)) return error;
  *errhandler = give_handle(*default_file_errhandler);
  return success;
}

Error body::File_set_errhandler(File* file, Errhandler& errhandler) {
  if (const Error error = require_file_null(file)) return error;
  return set(default_file_errhandler, HandlerKind::file, errhandler);
}

Error body::File_call_errhandler(File* file, int errorcode) {
  if (const Error error = require_file_null(file)) return error;
  return call_handler(*default_file_errhandler, reinterpret_cast<std::uintptr_t>(MPI_FILE_NULL), nullptr,
                      "MPI_File_call_errhandler", errorcode);
}

}  // namespace cow
