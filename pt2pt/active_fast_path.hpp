// The short path of active messages: one whose header and payload fit into a line goes to a local peer before everything
// else, in one piece of code, as short messages do (short.hpp). What stands in the way, errors included, is left to others.
#pragma once

#include "pt2pt/active_message.hpp"
#include "pt2pt/fast_path.hpp"

namespace cow::pt2pt {

// Header and payload.
struct Content {
  const void* header;
  int header_size;
  const void* payload;
  MPI_Count size;

  bool is_plain() const {
    constexpr std::size_t most = transport::shm::inline_size;
    const auto first = static_cast<std::size_t>(header_size), second = static_cast<std::size_t>(size);
    return first <= most && second <= most && first + second <= most && (header || first == 0) &&
           (payload || second == 0);
  }
};

// Null: nothing was done. Else the receiver must hear of it (end_short).
[[gnu::always_inline]] inline transport::shm::Link* put_active(Peer& peer, const Comm& comm, int index,
                                                               const Content& content) {
  const auto first = static_cast<std::size_t>(content.header_size), second = static_cast<std::size_t>(content.size);
  const std::uint16_t cost = transport::cost_of(first + second);
  if (__builtin_expect(!transport::may_go_at_once(peer, cost), 0)) return nullptr;
  transport::shm::Link* const link = peer.link;
  if (__builtin_expect(link->out.is_full(), 0)) return nullptr;
  const auto credits = static_cast<std::uint16_t>(peer.owed);
  transport::note_gone(peer, cost);
  link->out.put_into_room({wire::Kind::active, comm.context, comm.rank, tag_of(index, content.header_size)}, credits,
                          content.header, first, content.payload, second);
  return link;
}

[[gnu::always_inline]] inline transport::shm::Link* begin_active(MPI_Comm handle, int dest, int index,
                                                                 const Content& content) {
  Peer** const peers = short_peers;
  const Comm* comm = find(handle);
  if (__builtin_expect(!peers || !comm || !comm->active || comm->remote_group || !content.is_plain(), 0))
    return nullptr;
  if (__builtin_expect(!static_cast<const Handlers*>(comm->active)->has(index), 0)) return nullptr;
  if (static_cast<unsigned>(dest) >= static_cast<unsigned>(comm->group->size())) return nullptr;
  Peer* const peer = peers[comm->group->process(dest)];
  return peer ? put_active(*peer, *comm, index, content) : nullptr;
}

// The same for the reply of a handler that runs in progress: the lock, if one is needed, is held.
[[gnu::always_inline]] inline transport::shm::Link* begin_active_reply(const MPIX_Am_message* to, int index,
                                                                       const Content& content) {
  if (__builtin_expect(!to, 0)) return nullptr;
  const auto& message = static_cast<const Message&>(*to);
  if (!message.running || !message.handlers->has(index) || !content.is_plain()) return nullptr;
  Peer& peer = *message.running->peer;
  if (__builtin_expect(!peer.local || !transport::up_local_peers[peer.process], 0)) return nullptr;
  return put_active(peer, *message.handlers->comm, index, content);
}

// Whether a handler sets the flag before a wait would cease to spin: messages of local peers go straight to their handlers,
// and nothing else is looked at, but now and then. Only while short_peers is not null.
bool handler_sets(const volatile int* flag);

// What a thread wrote before it set the flag is seen by who has waited for it.
inline bool is_set(const volatile int* flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0; }

}  // namespace cow::pt2pt
