#include "pt2pt/probe.hpp"

#include "pt2pt/operation.hpp"

namespace cow::pt2pt {
namespace {

Unexpected* find_unexpected(const Comm& comm, int source, int tag, MPI_Status* status) {
  Unexpected* message = engine.unexpected.find({comm.context, source, tag});
  if (message && status) {
    show(empty_status, status);
    status->MPI_SOURCE = message->key.source;
    status->MPI_TAG = message->key.tag;
    set_bytes(*status, static_cast<MPI_Count>(message->size));
  }
  return message;
}

}  // namespace

bool find_message(const Comm& comm, int source, int tag, MPI_Status* status) {
  return find_unexpected(comm, source, tag, status) != nullptr;
}

Error take_message(Comm& comm, int source, int tag, MPI_Status* status, Message*& out) {
  out = nullptr;
  Unexpected* unexpected = find_unexpected(comm, source, tag, status);
  if (!unexpected) return success;
  auto* message = new Message;
  if (Error error = table<Message>().insert(*message)) {
    delete message;
    return error;
  }
  engine.unexpected.remove(*unexpected);
  message->unexpected = unexpected;
  message->comm = &comm;
  retain(comm);
  out = message;
  return success;
}

Error irecv_message(void* buffer, MPI_Count count, Datatype& type, Message& message, Request*& out) {
  auto* unexpected = static_cast<Unexpected*>(message.unexpected);
  Receive* receive = engine.receive_pool.make(receive_kind);
  prepare(*receive, {buffer, count, &type, unexpected->key.source, unexpected->key.tag, message.comm,
                     message.comm->context});
  table<Message>().erase(message);
  release(*message.comm);
  delete &message;
  take(*receive, unexpected);
  out = receive;
  return success;
}

}  // namespace cow::pt2pt
