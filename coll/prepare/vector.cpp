// Collectives that move blocks given one by one.
#include "coll/prepare/common.hpp"

namespace cow::coll {
namespace {

// An element without data is as good as none: the other side may have counted none, and then neither sends nor receives.
MPI_Count with_data(MPI_Count count, const Datatype* type) { return type && type->size == 0 ? 0 : count; }

// Counts in elements, displacements in bytes.
void read_blocks(const GivenData& data, int size, std::vector<Count>& counts, std::vector<Count>& displs) {
  counts.resize(static_cast<std::size_t>(size));
  displs.resize(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    counts[static_cast<std::size_t>(i)] = with_data(data.counts[i], data.type);
    displs[static_cast<std::size_t>(i)] = data.displs[i] * data.type->extent;
  }
}

Error need_types(const MixedData& data, int size, const char* which, std::vector<Datatype*>& out) {
  for (int i = 0; i < size; ++i) {
    Datatype* const type = find(data.types[i]);
    if (data.counts[i] != 0)
      if (Error error = need(type, which)) return error;
    out.push_back(type);
  }
  return success;
}

// MPI_IN_PLACE: what is sent is what stands in the receive buffer, packed aside block by block.
void send_from_receive_buffer(Operation& o, int size) {
  Lists& lists = o.lists();
  Count at = 0;
  for (int i = 0; i < size; ++i) {
    const auto block = static_cast<std::size_t>(i);
    Datatype* const type = o.args.types ? o.args.types[i] : o.args.type;
    const Count count = lists.counts[block];
    const Count bytes = count > 0 ? count * type->size : 0;
    lists.send_counts.push_back(bytes);
    lists.send_displs.push_back(at);
    if (bytes > 0) lists.in.push_back({o.args.recv + static_cast<Address>(lists.displs[block]), count, type, at});
    at += bytes;
  }
  o.in_bytes = at;
}

Count bytes_of(const std::vector<Count>& counts, const Datatype* type, int block) {
  const Count count = counts[static_cast<std::size_t>(block)];
  return count > 0 ? count * type->size : 0;
}

// Blocks given one by one are copied as far as there is room.
Error check_own_room(Count sent, Count received) { return sent > received ? check_own_block(sent, received) : success; }

Error check_own_room(Operation& o) {
  const Args& a = o.args;
  const int me = o.comm->rank;
  if (o.comm->inter()) return success;
  return check_own_room(bytes_of(o.lists().send_counts, a.send_types ? a.send_types[me] : a.send_type, me),
                        bytes_of(o.lists().counts, a.types ? a.types[me] : a.type, me));
}

void point_to_blocks(Operation& o) {
  Lists& lists = o.lists();
  o.args.counts = lists.counts.data();
  o.args.displs = lists.displs.data();
  o.args.send_counts = lists.send_counts.data();
  o.args.send_displs = lists.send_displs.data();
}

}  // namespace

Error prepare_gatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv, int root) {
  Lists& lists = o.lists();
  if (Error error = begin_moving(o, Collective::gatherv, comm)) return error;
  const bool at_root = is_root(comm, root);
  o.args.root = root;
  if (looks_on(comm, root)) return success;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (at_root) {
    if (Error error = need(recv.type, "recvtype")) return error;
    read_blocks(recv, peers_of(comm), lists.counts, lists.displs);
    o.args.type = recv.type;
    o.args.recv = address_of(recv.buffer);
    point_to_blocks(o);
  }
  if (is_across(comm, root)) return success;
  if (at_root && in_place(send.buffer)) {
    const auto own = static_cast<std::size_t>(root);
    o.args.send = o.args.recv + static_cast<Address>(lists.displs[own]);
    o.args.count = lists.counts[own];
    o.args.send_type = recv.type;
    return success;
  }
  if (Error error = need(send.type, "sendtype")) return error;
  o.args.send = address_of(send.buffer);
  o.args.count = with_data(send.count, send.type);
  o.args.send_type = send.type;
  return at_root ? check_own_room(send.count * send.type->size, bytes_of(lists.counts, recv.type, root)) : success;
}

Error prepare_scatterv(Operation& o, Comm& comm, const GivenData& send, const Data& recv, int root) {
  Lists& lists = o.lists();
  if (Error error = begin_moving(o, Collective::scatterv, comm)) return error;
  const bool at_root = is_root(comm, root);
  o.args.root = root;
  if (looks_on(comm, root)) return success;
  if (Error error = check_in_place(comm, recv.buffer)) return error;
  if (at_root) {
    if (Error error = need(send.type, "sendtype")) return error;
    read_blocks(send, peers_of(comm), lists.send_counts, lists.send_displs);
    o.args.send_type = send.type;
    o.args.send = address_of(send.buffer);
    point_to_blocks(o);
  }
  if (is_across(comm, root)) return success;
  if (at_root && in_place(recv.buffer)) {
    const auto own = static_cast<std::size_t>(root);
    o.args.recv = o.args.send + static_cast<Address>(lists.send_displs[own]);
    o.args.count = lists.send_counts[own];
    o.args.type = send.type;
    return success;
  }
  if (Error error = need(recv.type, "recvtype")) return error;
  o.args.recv = address_of(recv.buffer);
  o.args.count = with_data(recv.count, recv.type);
  o.args.type = recv.type;
  return at_root ? check_own_room(bytes_of(lists.send_counts, send.type, root), recv.count * recv.type->size) : success;
}

Error prepare_allgatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv) {
  Lists& lists = o.lists();
  if (Error error = begin_moving(o, Collective::allgatherv, comm)) return error;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (Error error = need(recv.type, "recvtype")) return error;
  const int p = peers_of(comm);
  read_blocks(recv, p, lists.counts, lists.displs);
  const bool whole = recv.type->contiguous;
  // Of this rank; on an intercommunicator the blocks are all the other group's.
  const auto own = static_cast<std::size_t>(comm.inter() ? 0 : comm.rank);
  const Address own_block = address_of(recv.buffer) + static_cast<Address>(lists.displs[own]);
  const MPI_Count own_count = lists.counts[own];
  Count total = 0;
  for (std::size_t i = 0; i < lists.counts.size(); ++i) {
    const Count bytes = lists.counts[i] * recv.type->size;
    if (!whole && bytes > 0)
      lists.out.push_back(
          {address_of(recv.buffer) + static_cast<Address>(lists.displs[i]), lists.counts[i], recv.type, total});
    if (!whole) lists.displs[i] = total;
    lists.counts[i] = bytes;
    total += bytes;
  }
  if (whole)
    o.args.recv = first_byte(recv.buffer, *recv.type);
  else
    o.out_bytes = total;
  point_to_blocks(o);
  o.measure = total / p;
  if (in_place(send.buffer)) {
    send_from(o, reinterpret_cast<void*>(own_block), own_count, *recv.type);
    return success;
  }
  if (Error error = need(send.type, "sendtype")) return error;
  o.args.send_count = send.count * send.type->size;
  if (!comm.inter())
    if (Error error = check_own_block(o.args.send_count, lists.counts[own])) return error;
  send_from(o, send.buffer, send.count, *send.type);
  return success;
}

Error prepare_alltoallv(Operation& o, Comm& comm, const GivenData& send, const GivenData& recv) {
  Lists& lists = o.lists();
  if (Error error = begin_moving(o, Collective::alltoallv, comm)) return error;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  if (Error error = need(recv.type, "recvtype")) return error;
  read_blocks(recv, peers_of(comm), lists.counts, lists.displs);
  o.args.type = recv.type;
  o.args.recv = address_of(recv.buffer);
  if (in_place(send.buffer)) {
    send_from_receive_buffer(o, peers_of(comm));
  } else {
    if (Error error = need(send.type, "sendtype")) return error;
    read_blocks(send, peers_of(comm), lists.send_counts, lists.send_displs);
    o.args.send_type = send.type;
    o.args.send = address_of(send.buffer);
    if (Error error = check_own_room(o)) return error;
  }
  point_to_blocks(o);
  return success;
}

Error prepare_alltoallw(Operation& o, Comm& comm, const MixedData& send, const MixedData& recv) {
  Lists& lists = o.lists();
  if (Error error = begin_moving(o, Collective::alltoallv, comm)) return error;
  if (Error error = check_in_place(comm, send.buffer)) return error;
  const int p = peers_of(comm);
  const auto read = [p](const MixedData& data, const std::vector<Datatype*>& types, std::vector<Count>& counts,
                        std::vector<Count>& displs) {
    for (int i = 0; i < p; ++i) {
      counts.push_back(with_data(data.counts[i], types[static_cast<std::size_t>(i)]));
      displs.push_back(data.displs[i]);
    }
  };
  if (Error error = need_types(recv, p, "a type of recvtypes", lists.types)) return error;
  read(recv, lists.types, lists.counts, lists.displs);
  o.args.types = lists.types.data();
  o.args.recv = address_of(recv.buffer);
  if (in_place(send.buffer)) {
    send_from_receive_buffer(o, p);
  } else {
    if (Error error = need_types(send, p, "a type of sendtypes", lists.send_types)) return error;
    read(send, lists.send_types, lists.send_counts, lists.send_displs);
    o.args.send_types = lists.send_types.data();
    o.args.send = address_of(send.buffer);
    if (Error error = check_own_room(o)) return error;
  }
  point_to_blocks(o);
  return success;
}

}  // namespace cow::coll
