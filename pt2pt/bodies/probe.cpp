// Probes and matched receives.
#include "pt2pt/probe.hpp"

#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "objects/blame.hpp"
#include "pt2pt/waiting.hpp"
#include "runtime/progress.hpp"

namespace cow {
namespace {

// Nothing can come from MPI_PROC_NULL: a message of no bytes is always there.
bool from_nobody(int source, MPI_Status* status) {
  if (source != MPI_PROC_NULL) return false;
  show(status_of_nobody(), status);
  return true;
}

Error look_up(MPI_Message handle, Message*& out) {
  out = find(handle);
  if (out) return success;
  return fail(ErrorClass::request, "%p is not a message that MPI_Mprobe has found, or one that was received already",
              reinterpret_cast<void*>(handle));
}

}  // namespace

Error body::Iprobe(int source, int tag, Comm& comm, int* flag, MPI_Status* status) {
  *flag = from_nobody(source, status) || pt2pt::find_message(comm, source, tag, status);
  if (*flag) return success;
  pt2pt::poll_asked();
  *flag = pt2pt::find_message(comm, source, tag, status);
  return success;
}

Error body::Probe(int source, int tag, Comm& comm, MPI_Status* status) {
  if (from_nobody(source, status)) return success;
  progress::wait_until([&] { return pt2pt::find_message(comm, source, tag, status); });
  return success;
}

Error body::Improbe(int source, int tag, Comm& comm, int* flag, MPI_Message* handle, MPI_Status* status) {
  *flag = from_nobody(source, status);
  *handle = *flag ? MPI_MESSAGE_NO_PROC : MPI_MESSAGE_NULL;
  if (*flag) return success;
  Message* message;
  if (Error error = pt2pt::take_message(comm, source, tag, status, message)) return error;
  if (!message) {
    pt2pt::poll_asked();
    if (Error error = pt2pt::take_message(comm, source, tag, status, message)) return error;
  }
  *flag = message != nullptr;
  if (message) *handle = handle_of(*message);
  return success;
}

Error body::Mprobe(int source, int tag, Comm& comm, MPI_Message* handle, MPI_Status* status) {
  *handle = MPI_MESSAGE_NO_PROC;
  if (from_nobody(source, status)) return success;
  Message* message = nullptr;
  Error error;
  progress::wait_until([&] {
    error = pt2pt::take_message(comm, source, tag, status, message);
    return error || message;
  });
  if (error) return error;
  *handle = handle_of(*message);
  return success;
}

Error body::Imrecv(void* buf, MPI_Count count, Datatype& type, MPI_Message* handle, MPI_Request* request) {
  Request* receive;
  if (*handle == MPI_MESSAGE_NO_PROC) {
    if (Error error = pt2pt::irecv({buf, 0, &type, MPI_PROC_NULL, MPI_ANY_TAG, nullptr, 0}, receive)) return error;
  } else {
    Message* message;
    if (Error error = look_up(*handle, message)) return error;
    if (Error error = pt2pt::irecv_message(buf, count, type, *message, receive)) return error;
  }
  *handle = MPI_MESSAGE_NULL;
  return pt2pt::give_handle(*receive, request);
}

Error body::Mrecv(void* buf, MPI_Count count, Datatype& type, MPI_Message* handle, MPI_Status* status) {
  if (*handle == MPI_MESSAGE_NO_PROC) {
    *handle = MPI_MESSAGE_NULL;
    show(status_of_nobody(), status);
    return success;
  }
  Message* message;
  if (Error error = look_up(*handle, message)) return error;
  Request* receive;
  if (Error error = pt2pt::irecv_message(buf, count, type, *message, receive)) return error;
  *handle = MPI_MESSAGE_NULL;
  Comm& comm = *receive->comm;
  const Held held(comm);  // the receive may hold the last reference
  MPI_Status got;
  const Error error = pt2pt::wait(*receive, &got);
  if (error) blame(&comm);
  if (status) {
    got.MPI_ERROR = status->MPI_ERROR;
    *status = got;
  }
  return error;
}

}  // namespace cow
