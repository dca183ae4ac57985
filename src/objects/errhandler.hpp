// Error handlers: what happens when a call on an object fails.
#pragma once

#include <cstdint>

#include "objects/objects.hpp"

namespace cow {

// What an error handler may be attached to. The predefined ones fit all.
enum class HandlerKind : std::uint8_t { any, comm, win, file, session };

struct Errhandler : Object {
  enum class Action : std::uint8_t {
    returns,  // the call returns the code
    fatal,    // MPI_ERRORS_ARE_FATAL: ends all processes of the job
    abort,    // MPI_ERRORS_ABORT: ends the processes of the communicator
    user,
  };
  // How a program's function is called: a language or a foreign ABI gives a trampoline of its own. `object` is the
  // handle of the object at which the error happened; the function may change the code.
  using Trampoline = void (*)(void* function, std::uintptr_t object, int* code);

  Action action = Action::returns;
  HandlerKind kind = HandlerKind::any;
  Trampoline trampoline = nullptr;
  void* function = nullptr;
  int handles = 0;  // how many references the program holds through the handle
};

// The predefined ones, known from before the first call.
extern Errhandler errors_are_fatal, errors_abort, errors_return;

// An error handler of the program, with a handle that holds the one reference.
Error create_errhandler(HandlerKind kind, Errhandler::Trampoline trampoline, void* function, Errhandler*& out);

inline void retain(Errhandler& handler) { ++handler.references; }
void release(Errhandler& handler);

// A handle for the program (MPI_X_get_errhandler), with a reference that free_handle() (MPI_Errhandler_free) drops.
MPI_Errhandler give_handle(Errhandler& handler);
void free_handle(Errhandler& handler);

// Puts `handler` in `slot`, with its references.
void replace(Errhandler*& slot, Errhandler& handler);

// What errors that belong to no object go to before the start and after the end, and what MPI_COMM_WORLD and MPI_COMM_SELF
// begin with: COW_INITIAL_ERRHANDLER, which mpirun was told as -initial-errhandler.
Errhandler& initial_errhandler();

// What errors of MPI_FILE_NULL go to, and what files begin with.
extern Errhandler* default_file_errhandler;  // referenced

// How a fatal error ends the job: the runtime sets it; `comm` may be null. Without it: prints and exits.
extern void (*end_job)(Comm* comm, int code, const char* text);

// Hands an error to a handler. `object` is the handle that a user's function gets; `comm` (may be null) whose processes
// MPI_ERRORS_ABORT ends; `text` the composed message. Returns what the MPI call returns.
int call(Errhandler& handler, std::uintptr_t object, Comm* comm, int code, const char* text);

}  // namespace cow
