// Peers on the same node, reached through shared memory: no handshake, no tokens and no sequence numbers, since a fifo
// belongs to two processes of the job and keeps the order. Credits are as for any peer.
#pragma once

#include "transport/peer.hpp"
#include "transport/shm/shm_port.hpp"

namespace cow::transport {

// Null where messages inside the node go over the network. Made once, lives as long as the process: a thread that wakes
// a sleeper may use it at any time.
extern ShmPort* shared_memory;

// Takes the memory that the launcher gave to the ranks of this node, if it is to be used. `window` is what this process
// grants each sender, in credit units; `alone`: there is no other port to sleep on.
Error open_local_peers(std::uint32_t window);

// As settings have it. Whoever names a provider wants to see it carry the messages.
bool shared_memory_is_wanted();

// The number on this node of a process that is reached through shared memory, or -1.
int local_peer_index(Process process);

// All ranks of the job are reached so.
bool only_local_peers();

// The largest message, in bytes, that goes to a local peer at once; larger ones are offered.
std::size_t local_eager_limit();

// Begins to connect to a local peer in state unknown; it is up as soon as it has started.
void connect_local_peer(Peer& peer);

// Delivers what has arrived from local peers. Returns how many things moved.
std::size_t poll_local_peers();

// To be asked when the port is armed: nobody that is waited for has come meanwhile.
bool local_peers_may_sleep();

// Posts a message to a local peer that is up. False when there is no room now, or the peer has failed.
bool post_to_local_peer(Peer& peer, const Outgoing& out, std::uint16_t credits);

[[gnu::noinline]] bool post_long(Peer& peer, const shm::Envelope& envelope, std::uint16_t credits, const void* bytes,
                                 std::size_t size);

// Whether a message that costs so much may go before everything else: nothing waits, there is credit, and its header has
// room for what is owed.
[[gnu::always_inline]] inline bool may_go_at_once(const Peer& peer, std::uint16_t cost) {
  return peer.messages.empty() && cost <= peer.credits && peer.owed <= UINT16_MAX;
}
// It goes, with all that was owed.
[[gnu::always_inline]] inline void note_gone(Peer& peer, std::uint16_t cost) {
  peer.owed = 0;
  peer.credits -= cost;
  ++peer.sent;
  ++counters.sent;
}

// Posts an eager message to a local peer that is up, if that is possible at once: nothing waits before it, there is
// credit and there is room. False: nothing was done.
[[gnu::always_inline]] inline bool post_short(Peer& peer, const shm::Envelope& envelope, std::uint16_t cost,
                                              const void* bytes, std::size_t size) {
  if (__builtin_expect(!may_go_at_once(peer, cost), 0)) return false;
  const auto credits = static_cast<std::uint16_t>(peer.owed);
  const bool sent = size <= shm::inline_size ? peer.link->put(envelope, credits, bytes, size)
                                             : post_long(peer, envelope, credits, bytes, size);
  if (__builtin_expect(!sent, 0)) return false;
  note_gone(peer, cost);
  return true;
}

}  // namespace cow::transport
