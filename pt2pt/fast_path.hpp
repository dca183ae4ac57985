// The short path: a small message to a local peer goes from the program's buffer into the fifo, in one piece of code
// without allocation, lock, system call or indirect call, and a receive for which it has come, or comes soon, takes it
// from there. Where anything stands in the way the short path says no, and the engine does what is needed.
#pragma once

#include "pt2pt/engine.hpp"
#include "pt2pt/waiting.hpp"
#include "transport/local_peers.hpp"

namespace cow::pt2pt {

// True: sent. The send is complete; no request was made.
[[gnu::always_inline]] inline bool send_at_once(const void* buffer, MPI_Count count, const Datatype& type, int rank,
                                                int tag, const Comm& comm, std::uint64_t context) {
  if (__builtin_expect(!type.contiguous || rank < 0, 0)) return false;
  const auto size = static_cast<std::size_t>(count) * static_cast<std::size_t>(type.size);
  if (__builtin_expect(!fits_eager(size, engine.short_limit), 0)) return false;
  Peer* peer = transport::up_local_peers[comm.peers().process(rank)];
  if (__builtin_expect(!peer, 0)) return false;
  return transport::post_short(*peer, {wire::Kind::eager, context, comm.rank, tag}, transport::cost_of(size),
                               data_of(buffer, type), size);
}

// What MPI_Isend gives for a send that was complete when it returned: one request, the same for all of them, that is
// never freed. Its status is that of any send.
extern Request sent_request;
inline constexpr std::uint32_t sent_index = 0x3f0;  // among the ABI's reserved numbers
inline MPI_Request sent_handle() { return reinterpret_cast<MPI_Request>(std::uintptr_t{sent_index}); }

// ---- The same before everything else, for the bindings of MPI_Send, MPI_Isend and MPI_Wait: leaf functions without a
// stack frame, which check what they rely on.

// By process, as transport::up_local_peers; null while no call may take the short path: MPI is not running, or the
// progress lock is needed.
extern Peer** short_peers;
void allow_short_path(bool allowed);

// What the arguments of a send or receive name, if they are plain: whatever is not, errors included, is left to others.
struct Plain {
  Datatype* type;
  Comm* comm;
  std::size_t bytes;
};
[[gnu::always_inline]] inline bool look_up_plain(const void* buffer, MPI_Count count, MPI_Datatype datatype, int rank,
                                                 MPI_Comm handle, Plain& out) {
  out.type = find(datatype);
  out.comm = find(handle);
  if (__builtin_expect(!out.type || !out.comm, 0)) return false;
  const bool plain = out.type->contiguous && out.type->committed && !out.comm->remote_group && count >= 0 &&
                     static_cast<unsigned>(rank) < static_cast<unsigned>(out.comm->group->size()) &&
                     reinterpret_cast<std::uintptr_t>(buffer) > reinterpret_cast<std::uintptr_t>(MPI_BUFFER_AUTOMATIC);
  MPI_Count bytes;
  if (__builtin_expect(!plain || __builtin_mul_overflow(count, out.type->size, &bytes), 0)) return false;
  out.bytes = static_cast<std::size_t>(bytes);
  return true;
}

// Sends a message of at most shm::inline_size bytes. Null: nothing was done; whatever is wrong is found by who does it.
[[gnu::always_inline]] inline transport::shm::Link* begin_short(const void* buffer, MPI_Count count,
                                                                MPI_Datatype datatype, int rank, int tag,
                                                                MPI_Comm handle) {
  Peer** const peers = short_peers;
  Plain plain;
  if (__builtin_expect(!peers || tag < 0 || !look_up_plain(buffer, count, datatype, rank, handle, plain), 0))
    return nullptr;
  Peer* peer = peers[plain.comm->group->process(rank)];
  constexpr std::size_t largest = transport::shm::inline_size;
  static_assert(largest <= wire::credit_unit);
  constexpr std::uint16_t cost = 4;  // transport::cost_of() of 1 to 64 bytes
  if (__builtin_expect(!peer || plain.bytes > largest || plain.bytes == 0, 0)) return nullptr;
  if (__builtin_expect(!transport::may_go_at_once(*peer, cost), 0)) return nullptr;
  transport::shm::Link* link = peer->link;
  if (__builtin_expect(link->out.is_full(), 0)) return nullptr;
  const auto credits = static_cast<std::uint16_t>(peer->owed);
  transport::note_gone(*peer, cost);
  link->out.put_into_room({wire::Kind::eager, plain.comm->context, plain.comm->rank, tag}, credits,
                          data_of(buffer, *plain.type), plain.bytes);
  return link;
}

// The receiver hears of it.
[[gnu::always_inline]] inline int end_short(transport::shm::Link& link) {
  if (__builtin_expect(link.wants_attention(), 0)) return link.draw_attention();
  return MPI_SUCCESS;
}

// Receives a message that comes from a local peer before the policy would yield the processor, when neither an older
// message matches the receive nor an older receive the message. False: nothing was done.
bool receive_short(void* buffer, MPI_Count count, MPI_Datatype datatype, int source, int tag, MPI_Comm handle,
                   MPI_Status* status);

bool receive_short(const RecvArgs& args, MPI_Status* status);  // for a caller that has looked everything up

// Posts a receive that needs no attention but to be matched. False: nothing was done.
bool post_short(void* buffer, MPI_Count count, MPI_Datatype datatype, int source, int tag, MPI_Comm handle,
                MPI_Request* request);

// Waits for a request that is complete: a send that was so at once, or a receive that went well. False: it is something
// else.
bool wait_for_received(MPI_Request* request, MPI_Status* status);
[[gnu::always_inline]] inline bool wait_short(MPI_Request* request, MPI_Status* status) {
  if (!short_peers || !request) return false;
  if (*request != sent_handle()) return wait_for_received(request, status);
  conclude_sent(*request, status);
  return true;
}

}  // namespace cow::pt2pt
