#include "pt2pt/probe.hpp"

#include "pt2pt/engine.hpp"

namespace cow::pt2pt {
namespace {

Unexpected* look_for(const Comm& comm, int source, int tag, MPI_Status* status, bool accept) {
  Unexpected* message = find_unexpected({comm.context, source, tag}, accept);
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
  return look_for(comm, source, tag, status, false) != nullptr;
}

Error take_message(Comm& comm, int source, int tag, MPI_Status* status, Message*& out) {
  out = nullptr;
  if (!look_for(comm, source, tag, nullptr, false)) return success;
  auto* message = new Message;
  if (Error error = table<Message>().insert(*message)) {
    delete message;
    return error;
  }
  Unexpected* unexpected = look_for(comm, source, tag, status, true);
  if (!unexpected) {  // withdrawn just now
    table<Message>().erase(*message);
    delete message;
    return success;
  }
  message->unexpected = unexpected;
  message->comm = &comm;
  retain(comm);
  out = message;
  return success;
}

Error irecv_message(void* buffer, MPI_Count count, Datatype& type, Message& message, Request*& out) {
  auto* unexpected = static_cast<Unexpected*>(message.unexpected);
  Receive* receive = engine.receive_pool.make(receive_kind);
  prepare(*receive,
          {buffer, count, &type, unexpected->key.source, unexpected->key.tag, message.comm, message.comm->context});
  table<Message>().erase(message);
  release(*message.comm);
  delete &message;
  take(*receive, unexpected);
  out = receive;
  return success;
}

}  // namespace cow::pt2pt
