// What the files of pt2pt/ share: a send and a receive under way, messages that nobody waits for yet, and the steps from
// one to the next.
//
//   send.cpp        begins sends; eager messages
//   receive.cpp     begins receives; eager messages that arrive
//   rendezvous.cpp  large messages, once matched
//   local.cpp       messages of a process to itself
//   debt.hpp        sends that give their buffer back before the message has left
//   probe.cpp       probes and matched receives
//   cancel.cpp      messages that their sender takes back
//   waiting.cpp     Wait, Test and their families
#pragma once

#include "base/clock.hpp"
#include "base/id_table.hpp"
#include "base/pool.hpp"
#include "pt2pt/matching.hpp"
#include "pt2pt/protocol.hpp"
#include "pt2pt/pt2pt.hpp"
#include "transport/peer.hpp"

namespace cow::runtime {
class Snapshot;
}

namespace cow::pt2pt {

using transport::Drop;
using transport::Outgoing;
using transport::Peer;

struct Receive;

// A send under way. The base class's status says nothing but the error.
struct Send : Request {
  using Request::Request;

  Outgoing out;
  Peer* peer = nullptr;  // null: to this process
  SendArgs args{};
  std::size_t size = 0;      // of the message, in bytes
  std::uint32_t id = no_id;  // in `sends`, while the receiver may refer to it
  std::size_t sent = 0;      // pieces: bytes handed to the transport
  std::size_t asked = 0;     // pieces and writes: bytes that the receiver wants
  std::uint32_t remote = 0;  // the receiver's number for its operation
  bool registered = false;
  bool cancelling = false;  // the receiver has been asked to give the message back
  std::uint8_t place = 0;   // see transport/withdrawal.hpp
  transport::Registration memory;
  struct WriteEnd : transport::Completion {
    Send* send = nullptr;
  } write_end;
  wire::Request request;                  // what the receiver asked for
  runtime::Snapshot* snapshot = nullptr;  // the bytes are read from there; of the buffer, only the address still counts
  std::byte* piece = nullptr;             // with a snapshot: room for one piece; owned by debt.cpp
  wire::Whereabouts* where = nullptr;     // its data may move while nobody has taken them; owned by debt.cpp
  bool given_back = false;                // complete for the program, while the engine still works on it
  Send* next_stalled = nullptr;

  static constexpr std::uint32_t no_id = UINT32_MAX;
};

// What a receive needs once it has taken an offer: most never do.
struct Transfer {
  std::size_t expected = 0;        // bytes that will come
  std::size_t received = 0;        // pieces: bytes that have come
  std::uint32_t id = Send::no_id;  // in `receives`, while the sender may refer to it
  std::uint32_t remote = 0;        // the sender's number for its operation
  Outgoing out;                    // the request for the data, then the answer that ends it at the sender
  bool out_busy = false;
  bool registered = false;
  transport::Registration memory;
  wire::Offer offer;
  std::uint32_t waited = 0;  // us that the offer waited; see wire::Request
  struct ReadEnd : transport::Completion {
    Receive* receive = nullptr;
  } read_end;
};

// A receive under way.
struct Receive : Request, PostedNode<Receive> {
  using Request::Request;

  RecvArgs args{};
  std::size_t room = 0;          // bytes that fit
  std::size_t message_size = 0;  // once matched: more than `room` means that it is truncated
  Peer* peer = nullptr;          // of the offer
  Transfer* transfer = nullptr;  // made when an offer is taken; kept until the request is freed
  Receive* next_stalled = nullptr;

  // The answer to the sender lies in this request: it must leave first.
  bool answering() const { return transfer && transfer->out_busy; }
};

// A message that has arrived, or was offered, and that no receive has matched yet. Its bytes stand behind it.
struct Unexpected : UnexpectedNode<Unexpected> {
  Peer* peer = nullptr;        // null: from this process
  std::size_t size = 0;        // of the message
  std::uint16_t cost = 0;      // credits to give back when it is taken
  std::uint8_t place = 0;      // see transport/withdrawal.hpp
  bool acknowledge = false;    // the sender wants to be told
  bool offered = false;        // the data are still at the sender
  std::uint32_t send = 0;      // acknowledge: the sender's number
  wire::Offer offer;           // offered by a peer
  Nanoseconds since = 0;       // offered by a peer: when it came
  Send* local = nullptr;       // offered by this process
  Request* fetched = nullptr;  // offered, taken by MPI_Mprobe, and cancelled: brings the bytes to `kept`
  std::byte* kept = nullptr;   // the bytes, when they do not stand behind this; owned

  std::byte* bytes() { return kept ? kept : reinterpret_cast<std::byte*>(this + 1); }
  std::uint32_t number() const { return offered ? offer.send : send; }  // the sender's
};
Unexpected* make_unexpected(std::size_t bytes);  // null: no memory
void free_unexpected(Unexpected* message);

// All that is posted and all that is unexpected.
struct Engine {
  PostedTable<Receive> posted;
  UnexpectedTable<Unexpected> unexpected;
  IdTable<Send> sends;
  IdTable<Receive> receives;
  Pool<Send> send_pool;
  Pool<Receive> receive_pool;
  Pool<Transfer> transfer_pool;
  // Remote reads and writes that the port had no room for; tried again at every poll.
  Queue<Receive, &Receive::next_stalled> stalled_reads;
  Queue<Send, &Send::next_stalled> stalled_writes;

  bool stalled() const { return !stalled_reads.empty() || !stalled_writes.empty(); }
  std::size_t eager_limit = 0;  // bytes
  std::size_t short_limit = 0;  // bytes: what a local peer is sent at once
  Process self = 0;
};
extern Engine engine;

extern const RequestKind send_kind, receive_kind;                    // from the pools
extern const RequestKind send_on_stack_kind, receive_on_stack_kind;  // of a blocking call

// Gives back the memory of a receive from the pool, or only its transfer's.
inline void destroy_transfer(Receive& receive) {
  if (__builtin_expect(receive.transfer != nullptr, 0)) engine.transfer_pool.destroy(receive.transfer);
}
inline void destroy(Receive& receive) {
  destroy_transfer(receive);
  engine.receive_pool.destroy(&receive);
}

// Ends the life of a receive_kind request that nobody refers to.
inline void free_receive(Receive& receive) {
  if (receive.comm) release(*receive.comm);
  destroy(receive);
}

// The program sees that a receive went well: its handle has ended, and with it the handle's reference.
[[gnu::always_inline]] inline void see_received(MPI_Request& handle, Request& request, MPI_Status* status) {
  show(request.status, status);
  handle = MPI_REQUEST_NULL;
  if (--request.references == 0) free_receive(static_cast<Receive&>(request));
}

// Fills in what all sends (receives) need; takes the engine's reference, and those to the datatype and communicator.
void prepare(Send& send, const SendArgs& args);
[[gnu::always_inline]] inline void prepare(Receive& receive, const RecvArgs& args, std::size_t room) {
  receive.args = args;
  receive.room = room;
  receive.key = {args.context, args.rank, args.tag};
  receive.comm = args.comm;
  retain(receive);
  retain(*args.comm);
  retain(*args.type);
}
inline void prepare(Receive& receive, const RecvArgs& args) {
  prepare(receive, args, static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size));
}

// Begins; may complete at once. The request holds a reference for the engine until it has ended. `at_once`: the caller has
// found out already that it goes at once.
void begin(Send& send, bool at_once = false);
bool begin_with_unexpected(Receive& receive);  // false: no message matches it
inline void begin(Receive& receive) {
  if (__builtin_expect(engine.unexpected.size() > 0, 0) && begin_with_unexpected(receive)) return;
  engine.posted.insert(receive);
}

// Ends an operation: unregisters memory, gives the id and the datatype back, completes the request.
void end(Send& send, Error error);
void end_given_back(Send& send, Error error);  // debt.cpp: of one that is complete already
void end(Receive& receive, Error error);       // without another error, that of a message which does not fit

// A receive takes a message: fills the status, and moves the data or asks for them.
void take(Receive& receive, Unexpected* message);  // frees the message
// The same for an eager message that comes just now.
void take_eager(Receive& receive, Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size);

// Moves the bytes of a message into the receive's buffer, as far as they fit.
void deliver(Receive& receive, const std::byte* bytes, std::size_t size);

// cancel.cpp
Error cancel_send(Request& request);  // of a Send
// The oldest unexpected message that matches and that its sender has not taken back. `accept`: from now on it cannot, and
// the message is no longer in the table.
Unexpected* find_unexpected(const MatchKey& key, bool accept);
bool is_withdrawn(const Unexpected& message);  // its sender has taken it back
// The oldest receive for a message that has just come, taken out of the table; null: there is none. `withdrawn`: its sender
// has taken the message back; it is to be forgotten.
Receive* match_arrived(Peer& peer, const wire::Header& head, std::uint8_t place, std::uint32_t number, bool& withdrawn);
// A message that was taken by MPI_Mprobe and cancelled is received when its bytes are here.
void hand_over(Receive& receive, Unexpected* message);
void open_cancel();

// local.cpp
void begin_local(Send& send);
void take_local(Receive& receive, Send& send);

// rendezvous.cpp
// `waited`: for how many us the offer has waited for the receive.
void take_offer(Receive& receive, Peer& peer, const wire::Offer& offer, std::uint32_t waited);
void retry_stalled();

// The way to a peer, for the choice of a protocol.
inline Route route_to(Peer& peer) { return Route(peer.local ? engine.short_limit : engine.eager_limit, peer); }

// Whether a message of so many bytes goes to a process at once.
inline bool goes_at_once(std::size_t size, Process process) {
  if (process == engine.self) return fits_eager(size, engine.eager_limit);
  return fits_eager(size, route_to(transport::peer_of(process)).eager_limit);
}

// An answer of one small body to a peer; the Outgoing comes from a pool.
template <class Extra>
void answer(Peer& peer, wire::Kind kind, const Extra& extra);

// Sets source, tag and size in the status.
void note_matched(Receive& receive, std::int32_t source, std::int32_t tag, std::size_t size);

// Registers the handlers and the poll function; called when the transport is open. And the end of that.
void open_engine();
void close_engine();

}  // namespace cow::pt2pt
