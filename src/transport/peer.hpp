// Peers: the processes that this one exchanges messages with, and the rules of that exchange: who may speak (the
// handshake, tokens), in which order (sequence numbers), and how much may be piled up (credits).
//
// All under the progress lock. What a message means is known to the handlers that pt2pt registers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/list.hpp"
#include "transport/drops.hpp"
#include "transport/port.hpp"
#include "transport/wire.hpp"

namespace cow::transport {

using Process = std::uint32_t;  // this process's number for a process; the ranks of MPI_COMM_WORLD come first

struct Peer;

// A message to be posted. Owned by whoever fills it; must live until post() has returned done or `posted` was called.
struct Outgoing {
  Outgoing* next = nullptr;
  wire::Header head;  // kind, context, source and tag are the owner's; the rest is filled in when it is posted
  std::byte extra[sizeof(wire::Request)];  // the fixed part of the body, behind the head without a gap
  std::uint16_t extra_size = 0;
  std::uint16_t cost = 0;  // credits it needs, in units; 0: a message that can always go (an answer)
  Body body;               // what follows; body.bytes must stay valid as long as this
  void (*posted)(Outgoing&, Error) = nullptr;  // called from progress when it left the queue: posted, or peer failed
  void* owner = nullptr;                       // for posted()

  template <class Extra>
  void set_extra(const Extra& value) {
    static_assert(sizeof value <= sizeof extra);
    __builtin_memcpy(extra, &value, sizeof value);
    extra_size = sizeof value;
  }
};
static_assert(offsetof(Outgoing, extra) == offsetof(Outgoing, head) + sizeof(wire::Header));

// What a message of `bytes` bytes may cost the receiver in memory, in credit units.
inline std::uint16_t cost_of(std::size_t bytes) {
  return static_cast<std::uint16_t>(3 + (bytes + wire::credit_unit - 1) / wire::credit_unit);
}

struct Connecting;  // connect.cpp: what is needed until the peer is up
namespace shm {
struct Link;
}

struct Peer {
  enum class State : std::uint8_t { unknown, connecting, up, failed };

  Peer();
  ~Peer();

  Process process = 0;
  State state = State::unknown;
  bool pumping = false;         // in the list of peers with something queued
  bool local = false;           // on this node, reached through shared memory (local peers.hpp)
  shm::Link* link = nullptr;    // local peer: once it is up
  Destination destination = 0;  // valid when up; a local peer's always
  std::uint32_t number = 0;     // the peer's number for us; it, the tokens and the sequence are not for local peers
  std::uint32_t token = 0;      // and the token it wants to see
  std::uint32_t next_sequence = 0;
  std::int64_t credits = 0;     // units we may still spend
  std::uint32_t sent = 0;       // messages that cost credits, so far: see pt2pt/quiesce.hpp
  std::uint32_t received = 0;   // likewise, from it
  std::uint32_t expected = 0;   // sequence number of the next message from it
  std::uint32_t owed = 0;       // units to give back to it
  bool credit_queued = false;   // a message that gives them back is on its way to the port
  bool told_starved = false;    // it knows that messages wait here for credits
  bool starved_queued = false;  // the message that says so is on its way to the port
  bool starved = false;         // messages wait there for credits from us
  std::int32_t lateness = -1;   // us that offers have waited there for a receive, lately; -1: not known. pt2pt's
  std::uint32_t held = 0;       // units of messages from it that threads of this process are still working on
  std::uint32_t advance = 0;    // units that we gave beyond the window, to be kept back later
  Queue<Outgoing, &Outgoing::next> answers;   // cost nothing
  Queue<Outgoing, &Outgoing::next> messages;  // wait for credits

  std::uint32_t expected_token = 0;                       // what it must put into its messages
  std::map<std::uint32_t, std::vector<std::byte>> early;  // arrived before their turn, by sequence number
  Outgoing credit_message, starved_message;
  std::unique_ptr<Connecting> connecting;
  Error failure;
  std::string failure_text;
};

// Handles the messages of one kind. `body` has `size` bytes and is valid until the return.
using Handler = void (*)(Peer&, const wire::Header&, const std::byte* body, std::size_t size);
void set_handler(wire::Kind kind, Handler handler);

// Opens the shared memory of this node, and, where ranks are elsewhere, the network port, whose address it publishes. A
// job of one opens nothing.
Error open();
bool everything_has_left();
bool messages_have_left();  // nothing waits for credits or for the port, but for answers
bool port_is_drained();
void close();

Peer& peer_of(Process process);
std::vector<Peer*> known_peers();  // in any state

// The local peers that are up, by process; null for all others. The short path begins here.
extern Peer** up_local_peers;
Port& port_of(Peer& peer);

// Called from progress when a peer has failed and what was queued for it has been told: what else waits for it will wait in
// vain. May be called more than once.
extern void (*end_what_waits_for)(Peer& peer);

// Why a peer has failed, with its message put back into this thread's buffer.
Error failure_of(const Peer& peer);

// Posts the message now, or queues it: `done` (nothing more will be heard of it) or `posted` (out.posted is called
// later). For a failed peer it is queued and told the failure from progress.
Post post(Peer& peer, Outgoing& out);

// Takes back a message that still waits for credits or for the port; false: it has left.
bool take_back(Peer& peer, Outgoing& out);

// Credits bound what is piled up here only as long as nobody waits for something behind the pile: two matching calls must
// complete whatever else a program has sent before. So a sender without credits says so (starved), and a receiver that
// has polled in vain for a while, which must be waiting, advances another window. A rank that computes does not poll.

// A message of `cost` units from this peer has left the pile.
void buffer_release(Peer& peer, std::uint32_t cost);

// The same, without calls in the plain case.
extern std::uint32_t most_owed;  // more is given back by a message of its own
[[gnu::always_inline]] inline void release_buffer_soon(Peer& peer, std::uint32_t cost) {
  if (__builtin_expect(peer.advance > 0 || peer.owed + cost >= most_owed, 0)) return buffer_release(peer, cost);
  peer.owed += cost;
}

// What is counted; what was dropped: drops.hpp.
struct Counters {
  std::uint64_t sent = 0, received = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t credit_waits = 0;  // messages that had to wait at the sender for credit
  std::uint64_t advances = 0;      // windows given to a starved sender
  std::uint64_t retried_addresses = 0;
  std::uint64_t lost = 0;  // messages that the network took and gave up
};
extern Counters counters;

// What the header of an admitted message means for the exchange with its sender.
[[gnu::always_inline]] inline void note_received(Peer& peer, const wire::Header& head) {
  ++counters.received;
  peer.received += wire::costs_credits(head.kind);
  if (head.credits > 0) {
    peer.credits += head.credits;
    peer.told_starved = false;
  }
}

}  // namespace cow::transport
