// Collectives that move blocks of one size.
#include "coll/prepare/common.hpp"

namespace cow::coll {

Unit byte_unit() {
  Unit unit;
  unit.type = find(MPI_BYTE);
  return unit;
}

Error begin_across(Operation& o) {
  if (o.collective == Collective::scan || o.collective == Collective::exscan)
    return fail(ErrorClass::comm, "prefix sums are not defined on an intercommunicator");
  o.args.remote = peers_of(*o.comm);
  return success;
}

Error prepare_barrier(Operation& o, Comm& comm) { return begin_moving(o, Collective::barrier, comm); }

Error prepare_bcast(Operation& o, Comm& comm, const Data& data, int root) {
  if (Error error = begin_moving(o, Collective::bcast, comm)) return error;
  o.args.root = root;
  if (looks_on(comm, root)) return success;
  if (Error error = need(data.type, "datatype")) return error;
  o.args.count = o.measure = data.count * data.type->size;
  if (is_root(comm, root) && !is_run(*data.type, data.count)) {
    send_from(o, data.buffer, data.count, *data.type);
    o.recv_in_send = 0;
  } else {
    receive_into(o, data.buffer, data.count, *data.type);
  }
  return success;
}

Error prepare_gather(Operation& o, Comm& comm, const Data& send, const Data& recv, int root) {
  if (Error error = begin_moving(o, Collective::gather, comm)) return error;
  const bool at_root = is_root(comm, root);
  o.args.root = root;
  if (looks_on(comm, root)) return success;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (at_root) {
    if (Error error = need(recv.type, "recvtype")) return error;
    o.args.count = recv.count * recv.type->size;
    receive_into(o, recv.buffer, recv.count * peers_of(comm), *recv.type);
  }
  if (is_across(comm, root)) {
    // Has nothing to send.
  } else if (at_root && in_place(send.buffer)) {
    send_from(o, reinterpret_cast<void*>(element(recv.buffer, *recv.type, recv.count * root)), recv.count, *recv.type);
  } else {
    if (Error error = need(send.type, "sendtype")) return error;
    if (!at_root)
      o.args.count = send.count * send.type->size;
    else if (Error error = check_own_block(send.count * send.type->size, o.args.count))
      return error;
    send_from(o, send.buffer, send.count, *send.type);
  }
  o.measure = o.args.count;
  return success;
}

Error prepare_scatter(Operation& o, Comm& comm, const Data& send, const Data& recv, int root) {
  if (Error error = begin_moving(o, Collective::scatter, comm)) return error;
  const bool at_root = is_root(comm, root);
  o.args.root = root;
  if (looks_on(comm, root)) return success;
  if (Error error = check_in_place(comm, recv.buffer)) return error;
  if (at_root) {
    if (Error error = need(send.type, "sendtype")) return error;
    o.args.count = send.count * send.type->size;
    send_from(o, send.buffer, send.count * peers_of(comm), *send.type);
  }
  if (is_across(comm, root)) {
    // Receives nothing.
  } else if (at_root && in_place(recv.buffer)) {
    // Nothing to do for the root's own block: it stays where it is.
    o.recv_in_send = o.args.count * root;
  } else {
    if (Error error = need(recv.type, "recvtype")) return error;
    const Count bytes = recv.count * recv.type->size;
    if (!at_root)
      o.args.count = bytes;
    else if (o.args.count > bytes)
      return check_own_block(o.args.count, bytes);
    receive_into(o, recv.buffer, recv.count, *recv.type);
  }
  o.measure = o.args.count;
  return success;
}

Error prepare_allgather(Operation& o, Comm& comm, const Data& send, const Data& recv) {
  if (Error error = begin_moving(o, Collective::allgather, comm)) return error;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (Error error = need(recv.type, "recvtype")) return error;
  o.args.count = o.measure = recv.count * recv.type->size;
  receive_into(o, recv.buffer, recv.count * peers_of(comm), *recv.type);
  if (in_place(send.buffer)) {
    send_from(o, reinterpret_cast<void*>(element(recv.buffer, *recv.type, recv.count * comm.rank)), recv.count,
              *recv.type);
    return success;
  }
  if (Error error = need(send.type, "sendtype")) return error;
  o.args.send_count = send.count * send.type->size;
  if (!comm.inter())
    if (Error error = check_own_block(o.args.send_count, o.args.count)) return error;
  send_from(o, send.buffer, send.count, *send.type);
  return success;
}

Error prepare_alltoall(Operation& o, Comm& comm, const Data& send, const Data& recv) {
  if (Error error = begin_moving(o, Collective::alltoall, comm)) return error;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (Error error = need(recv.type, "recvtype")) return error;
  const MPI_Count all = recv.count * peers_of(comm);
  o.args.count = o.measure = recv.count * recv.type->size;
  receive_into(o, recv.buffer, all, *recv.type);
  if (in_place(send.buffer)) {
    // What is sent is overwritten by what arrives: a copy.
    o.in_bytes = all * recv.type->size;
    if (o.in_bytes > 0) o.lists().in.push_back({address_of(recv.buffer), all, recv.type, 0});
    return success;
  }
  if (Error error = need(send.type, "sendtype")) return error;
  o.args.send_count = send.count * send.type->size;
  if (!comm.inter())
    if (Error error = check_own_block(o.args.send_count, o.args.count)) return error;
  send_from(o, send.buffer, send.count * peers_of(comm), *send.type);
  return success;
}

}  // namespace cow::coll
