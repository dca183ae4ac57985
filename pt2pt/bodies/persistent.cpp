// Persistent sends and receives; starting persistent requests of all kinds.
#include "pt2pt/persistent.hpp"

#include "api/bodies.hpp"
#include "pt2pt/bodies/blaming.hpp"
#include "pt2pt/send_mode.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {
namespace {

using pt2pt::SendMode;

template <class Args>
Error make(const Args& args, MPI_Request* out) {
  Request* request;
  if (Error error = pt2pt::make_persistent(args, request)) return error;
  return pt2pt::give_handle(*request, out);
}

}  // namespace

Error body::Send_init(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                      MPI_Request* request) {
  return make(pt2pt::SendArgs{buf, count, &type, dest, tag, &comm, comm.context}, request);
}

Error body::Ssend_init(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                       MPI_Request* request) {
  return make(pt2pt::SendArgs{buf, count, &type, dest, tag, &comm, comm.context, SendMode::synchronous}, request);
}

Error body::Rsend_init(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                       MPI_Request* request) {
  return make(pt2pt::SendArgs{buf, count, &type, dest, tag, &comm, comm.context, SendMode::ready}, request);
}

Error body::Bsend_init(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                       MPI_Request* request) {
  return make(pt2pt::SendArgs{buf, count, &type, dest, tag, &comm, comm.context, SendMode::buffered}, request);
}

Error body::Recv_init(void* buf, MPI_Count count, Datatype& type, int source, int tag, Comm& comm,
                      MPI_Request* request) {
  return make(pt2pt::RecvArgs{buf, count, &type, source, tag, &comm, comm.context}, request);
}

Error body::Start(MPI_Request* handle) {
  Request* request;
  if (Error error = pt2pt::look_up(*handle, request)) return error;
  return pt2pt::blaming(*request, pt2pt::start(*request));
}

Error body::Startall(int count, MPI_Request* handles) {
  const pt2pt::SharedSnapshot shared;
  for (int i = 0; i < count; ++i) {
    Request* request;
    if (Error error = pt2pt::look_up_in_array(handles, i, request)) return error;
    if (Error error = pt2pt::start(*request)) return pt2pt::blaming(*request, error);
  }
  return success;
}

}  // namespace cow
