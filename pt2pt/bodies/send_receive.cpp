// Blocking and nonblocking sends and receives, and both at once.
#include <memory>
#include <new>

#include "api/bodies.hpp"
#include "base/at_end.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/compound_request.hpp"
#include "pt2pt/fast_path.hpp"
#include "pt2pt/pt2pt.hpp"
#include "pt2pt/send_mode.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {
namespace {

using pt2pt::give_handle;
using pt2pt::RecvArgs;
using pt2pt::SendArgs;
using pt2pt::SendMode;

Error begin_send(const SendArgs& args, MPI_Request* out) {
  Request* request;
  if (Error error = pt2pt::isend(args, request)) return error;
  return give_handle(*request, out);
}

Error begin_send_giving_back(const SendArgs& args, MPI_Request* out) {
  Request* request;
  if (Error error = pt2pt::isend_giving_back(args, request)) return error;
  return give_handle(*request, out);
}

// Sends and receives at once; the receive's status.
Error exchange(const SendArgs& send, const RecvArgs& receive, MPI_Status* status) {
  Request* incoming;
  if (Error error = pt2pt::irecv(receive, incoming)) return error;
  AtEnd giving_up([=] { pt2pt::give_up(*incoming); });
  Request* outgoing;
  if (Error error = pt2pt::isend(send, outgoing)) return error;
  MPI_Status got;
  const Error send_error = pt2pt::wait(*outgoing);
  giving_up.forget();
  const Error receive_error = pt2pt::wait(*incoming, &got);
  if (status) {
    got.MPI_ERROR = status->MPI_ERROR;
    *status = got;
  }
  return receive_error ? receive_error : send_error;
}

Error begin_exchange(const SendArgs& send, const RecvArgs& receive, std::unique_ptr<std::byte[]> memory,
                     MPI_Request* out) {
  pt2pt::CompoundRequest* joint = pt2pt::make_compound_request(send.comm);
  joint->memory = std::move(memory);
  Request* part;
  Error error = pt2pt::irecv(receive, part);
  if (!error) joint->add(*part);
  if (!error) error = pt2pt::isend(send, part);
  if (!error) joint->add(*part);
  joint->close();
  if (!error) return give_handle(*joint, out);
  release(*joint);
  return error;
}

Error pack_copy(const void* buf, MPI_Count count, Datatype& type, std::unique_ptr<std::byte[]>& copy) {
  const MPI_Count bytes = count * type.size;
  copy.reset(new (std::nothrow) std::byte[static_cast<std::size_t>(bytes)]);
  if (!copy)
    return fail(ErrorClass::no_mem, "no memory for a copy of the %lld bytes to be sent", static_cast<long long>(bytes));
  pack(type, buf, count, 0, copy.get(), bytes);
  return success;
}

}  // namespace

Error body::Send(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm) {
  if (pt2pt::send_at_once(buf, count, type, dest, tag, comm, comm.context)) [[likely]]
    return success;
  if (comm.buffer_release != BufferRelease::notify)
    return pt2pt::send_giving_back({buf, count, &type, dest, tag, &comm, comm.context});
  return pt2pt::send({buf, count, &type, dest, tag, &comm, comm.context});
}

Error body::Ssend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm) {
  return pt2pt::send({buf, count, &type, dest, tag, &comm, comm.context, SendMode::synchronous});
}

Error body::Rsend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm) {
  return pt2pt::send({buf, count, &type, dest, tag, &comm, comm.context, SendMode::ready});
}

Error body::Bsend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm) {
  return pt2pt::send_buffered({buf, count, &type, dest, tag, &comm, comm.context, SendMode::buffered});
}

Error body::Recv(void* buf, MPI_Count count, Datatype& type, int source, int tag, Comm& comm, MPI_Status* status) {
  return pt2pt::recv_by_engine({buf, count, &type, source, tag, &comm, comm.context}, status);
}

Error body::Isend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                  MPI_Request* request) {
  if (pt2pt::send_at_once(buf, count, type, dest, tag, comm, comm.context)) [[likely]] {
    *request = pt2pt::sent_handle();
    if (completions_announced) [[unlikely]]
      announce_completion(&comm);
    return success;
  }
  if (comm.buffer_release != BufferRelease::notify)
    return begin_send_giving_back({buf, count, &type, dest, tag, &comm, comm.context}, request);
  return begin_send({buf, count, &type, dest, tag, &comm, comm.context}, request);
}

Error body::Issend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                   MPI_Request* request) {
  return begin_send({buf, count, &type, dest, tag, &comm, comm.context, SendMode::synchronous}, request);
}

Error body::Irsend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                   MPI_Request* request) {
  return begin_send({buf, count, &type, dest, tag, &comm, comm.context, SendMode::ready}, request);
}

Error body::Ibsend(const void* buf, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                   MPI_Request* request) {
  const SendArgs args{buf, count, &type, dest, tag, &comm, comm.context, SendMode::buffered};
  if (Error error = pt2pt::send_buffered(args)) return error;
  // The message is in the buffer: what is left to wait for is nothing.
  return begin_send({nullptr, 0, &type, MPI_PROC_NULL, tag, &comm, comm.context}, request);
}

Error body::Irecv(void* buf, MPI_Count count, Datatype& type, int source, int tag, Comm& comm, MPI_Request* request) {
  Request* receive;
  if (Error error = pt2pt::irecv({buf, count, &type, source, tag, &comm, comm.context}, receive)) return error;
  return give_handle(*receive, request);
}

Error body::Sendrecv(const void* sendbuf, MPI_Count sendcount, Datatype& sendtype, int dest, int sendtag, void* recvbuf,
                     MPI_Count recvcount, Datatype& recvtype, int source, int recvtag, Comm& comm, MPI_Status* status) {
  return exchange({sendbuf, sendcount, &sendtype, dest, sendtag, &comm, comm.context},
                  {recvbuf, recvcount, &recvtype, source, recvtag, &comm, comm.context}, status);
}

Error body::Sendrecv_replace(void* buf, MPI_Count count, Datatype& type, int dest, int sendtag, int source, int recvtag,
                             Comm& comm, MPI_Status* status) {
  std::unique_ptr<std::byte[]> copy;
  if (Error error = pack_copy(buf, count, type, copy)) return error;
  return exchange({copy.get(), count * type.size, find(MPI_PACKED), dest, sendtag, &comm, comm.context},
                  {buf, count, &type, source, recvtag, &comm, comm.context}, status);
}

Error body::Isendrecv(const void* sendbuf, MPI_Count sendcount, Datatype& sendtype, int dest, int sendtag,
                      void* recvbuf, MPI_Count recvcount, Datatype& recvtype, int source, int recvtag, Comm& comm,
                      MPI_Request* request) {
  return begin_exchange({sendbuf, sendcount, &sendtype, dest, sendtag, &comm, comm.context},
                        {recvbuf, recvcount, &recvtype, source, recvtag, &comm, comm.context}, nullptr, request);
}

Error body::Isendrecv_replace(void* buf, MPI_Count count, Datatype& type, int dest, int sendtag, int source,
                              int recvtag, Comm& comm, MPI_Request* request) {
  std::unique_ptr<std::byte[]> copy;
  if (Error error = pack_copy(buf, count, type, copy)) return error;
  const SendArgs send{copy.get(), count * type.size, find(MPI_PACKED), dest, sendtag, &comm, comm.context};
  return begin_exchange(send, {buf, count, &type, source, recvtag, &comm, comm.context}, std::move(copy), request);
}

}  // namespace cow
