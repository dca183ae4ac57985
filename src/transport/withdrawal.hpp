// Messages that the sender may take back (MPI_Cancel) although the receiver does not look: a synchronous message or an
// offer waits at the receiver until a receive matches it, and until then either end may be the first to decide.
//
// Inside a node the two need not talk for that. The message has a place in the fifo, where each end writes the message's
// number before it looks at what the other has written: the receiver that it accepts the message, the sender that it has
// withdrawn it. So at least one of them sees the other. A receiver that sees the message withdrawn forgets it; a sender
// that does not see it accepted knows that it never will be, and one that does asks the receiver what it has seen
// (wire::Kind::cancel), as over a network, where every sender must ask. The sender gives a place to another message when
// the receiver has said that it is done with the one before.
//
// A place is a number from 1 on; 0 is none, because all are taken or the peer is on another node.
#pragma once

#include <bit>

#include "transport/local_peers.hpp"

namespace cow::transport {

using WithdrawalPlace = std::uint8_t;
inline constexpr std::uint32_t last_place = shm::withdrawal_places;

namespace detail {
inline std::uint32_t mark_of(std::uint32_t number) { return number + 1; }  // fresh memory names no message
}  // namespace detail

// ---- the sender

inline WithdrawalPlace take_place(Peer& peer) {
  if (!peer.local) return 0;
  if (peer.state == Peer::State::unknown) connect_local_peer(peer);
  if (!peer.link || ~peer.link->places_taken == 0) return 0;
  const int bit = std::countr_one(peer.link->places_taken);
  peer.link->places_taken |= 1u << bit;
  return static_cast<WithdrawalPlace>(bit + 1);
}

inline void free_place(Peer& peer, std::uint32_t place) {
  if (!peer.link || place == 0 || place > last_place) return;
  std::atomic<std::uint32_t>& withdrawn = peer.link->out.fifo().withdrawn[place - 1];
  if (withdrawn.load(std::memory_order_relaxed) != 0) withdrawn.store(0, std::memory_order_relaxed);
  peer.link->places_taken &= ~(1u << (place - 1));
}

// True: the receiver will not accept the message. False: it may have.
inline bool withdraw(Peer& peer, WithdrawalPlace place, std::uint32_t number) {
  if (place == 0) return false;
  shm::Fifo& fifo = peer.link->out.fifo();
  fifo.withdrawn[place - 1].store(detail::mark_of(number), std::memory_order_seq_cst);
  return fifo.accepted[place - 1].load(std::memory_order_seq_cst) != detail::mark_of(number);
}

// ---- the receiver

inline bool is_withdrawn(Peer& peer, std::uint32_t place, std::uint32_t number) {
  if (place == 0) return false;
  return peer.link->in.fifo().withdrawn[place - 1].load(std::memory_order_seq_cst) == detail::mark_of(number);
}

// False: the sender has withdrawn it. Else it cannot any more.
inline bool accept(Peer& peer, std::uint32_t place, std::uint32_t number) {
  if (place == 0) return true;
  peer.link->in.fifo().accepted[place - 1].store(detail::mark_of(number), std::memory_order_seq_cst);
  return !is_withdrawn(peer, place, number);
}

// The message was found withdrawn and forgotten; whether that was so, when the sender asks, and forgets it.
inline void note_dropped(Peer& peer, std::uint32_t place, std::uint32_t number) {
  peer.link->dropped[place - 1] = detail::mark_of(number);
}
inline bool was_dropped(Peer& peer, std::uint32_t place, std::uint32_t number) {
  if (place == 0 || place > last_place || !peer.link) return false;
  std::uint32_t& dropped = peer.link->dropped[place - 1];
  if (dropped != detail::mark_of(number)) return false;
  dropped = 0;
  return true;
}

// A place as a message from this peer names it; 0 when there is none such.
inline std::uint8_t checked_place(const Peer& peer, std::uint32_t place) {
  return peer.link && peer.link->in.is_open() && place <= last_place ? static_cast<std::uint8_t>(place) : 0;
}

}  // namespace cow::transport
