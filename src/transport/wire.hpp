// The wire: the one home of the format of everything that two ranks exchange.
//
// A message is a Header and a body. Integers are in the byte order of the sender; the handshake refuses a peer of
// another order or word size, so nothing is converted afterwards. Kinds are never reused.
//
//   1. Handshake (hello, welcome, confirm): Header with sender = token = sequence = 0, then a Handshake and the
//      sender's published address. Sealed with the job's key; see transport/connect.cpp for the exchange.
//   2. Everything else is accepted only from a peer that is up: `sender` is the number that the receiver gave to it in
//      the handshake, `token` the one that goes with it. What does not fit is dropped and counted.
//   3. Messages of one peer are numbered by `sequence` in the order posted and handled in that order, whatever the order
//      in which the provider delivers them.
//   4. `credits` gives back room at the sender of this message (see transport/peer.hpp), in units of credit_unit bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow::wire {

inline constexpr std::uint32_t magic = 0x31574f43;  // "COW1"
inline constexpr std::uint8_t version = 2;
inline constexpr std::size_t max_message = 16384;  // head and body
inline constexpr std::size_t credit_unit = 64;     // bytes

enum class Kind : std::uint8_t {
  none = 0,
  hello = 1,          // "this is who I am and how to reach me"
  welcome = 2,        // the answer to a hello
  confirm = 3,        // the answer to a welcome
  credit = 4,         // nothing but the credits of the header
  eager = 5,          // the whole of a message
  eager_ack = 6,      // an eager message that wants to be told when it is matched (MPI_Ssend)
  matched = 7,        // the answer: Matched
  offer = 8,          // a large message waits at the sender: Offer
  pull_done = 9,      // the receiver has read it: Done
  request = 10,       // the receiver asks for it: Request
  piece = 11,         // a piece of it: Piece, bytes
  push_done = 12,     // the sender has written it all: Done
  starved = 13,       // the sender has messages waiting for credits
  quiesce = 14,       // the sender leaves the library, or answers one that leaves: Quiesce
  active = 15,        // an active message: its header and payload. The tag is handler << 8 | size of the header
  active_large = 16,  // the same, but the payload comes as a message of its own: ActiveLarge, header
  help = 17,          // inside a node: the receiver copies a large message, and the sender may do part of it: Help
  cancel = 18,        // the sender wants a message back that may not have been received: Withdrawal
  withdrawn = 19,     // the answer: nobody has received it, nor will: Withdrawal
  rma = 20,           // one-sided communication: Rma, places in the target's memory, data
  count
};

// Messages of these kinds pile up at the receiver.
constexpr bool costs_credits(Kind kind) {
  return kind == Kind::eager || kind == Kind::eager_ack || kind == Kind::offer || kind == Kind::active ||
         kind == Kind::active_large;
}

struct Header {
  Kind kind = Kind::none;
  std::uint8_t flags = 0;  // always 0 so far
  std::uint16_t credits = 0;
  std::uint32_t sender = 0;
  std::uint32_t token = 0;
  std::uint32_t sequence = 0;
  std::uint64_t context = 0;  // 0 where a kind has no use for it; so are source and tag
  std::int32_t source = 0;    // the sender's rank in the context's communicator
  std::int32_t tag = 0;
};
static_assert(sizeof(Header) == 32);

struct Handshake {
  std::uint64_t seal = 0;  // SipHash-2-4 of all that follows, addresses included, and the kind
  std::uint32_t magic = wire::magic;
  std::uint8_t version = wire::version;
  std::uint8_t word_size = sizeof(void*);
  std::uint8_t attempt = 0;       // which of the receiver's addresses this was sent to
  std::uint8_t echo = 0;          // the attempt of the message that this one answers
  std::uint64_t job = 0;          // hash of the sender's PMIx namespace
  std::uint32_t rank = 0;         // the sender's rank in it
  std::uint32_t your_number = 0;  // what the receiver shall put into Header::sender when it writes to me
  std::uint32_t your_token = 0;
  std::uint32_t your_credits = 0;  // units that the receiver may have piled up at me
  std::uint32_t address_size = 0;  // bytes that follow: the sender's published address
  std::uint32_t zero = 0;
  std::uint64_t my_nonce = 0;
  std::uint64_t your_nonce = 0;  // as the receiver published it: proves that the right process was reached
};
static_assert(sizeof(Handshake) == 64);

// A large message waits at the sender. Without a key (key_size 0) it must be asked for. Of one that may move, the key is
// the address of its Whereabouts, where they can be looked at.
struct Offer {
  std::uint64_t size = 0;  // of the message, in bytes
  std::uint32_t send = 0;  // the sender's number for this operation
  std::uint16_t key_size = 0;
  std::uint16_t flags = 0;    // offer_contiguous, offer_movable; from bit 8 on the place (see transport/withdrawal.hpp)
  std::uint64_t address = 0;  // of its first byte, as Registration::address; of one that may move, 0: it has holes
  std::byte key[32] = {};
  std::int64_t sent = 0;  // ns, when, by the sender's monotonic clock: that of the receiver on the same node
};
static_assert(sizeof(Offer) == 64);
inline constexpr std::uint16_t offer_contiguous = 1;  // the data are one run of memory: the sender could write them
inline constexpr int offer_place_shift = 8;
inline constexpr std::uint16_t offer_movable = 2;  // as long as nobody has taken them, the sender may move them

// Inside a node, in the sender's memory: where the data of an offer that may move are. The receiver writes `taken` and
// looks at `moved` then; the sender writes `moved` and looks at `taken` then, a full barrier in between at either. So one
// of them at least sees the other: a receiver that sees nothing moved reads where the offer says, and the sender, which
// sees that, leaves the data there.
struct Whereabouts {
  std::uint32_t taken = 0;
  std::uint32_t moved = 0;    // what follows counts
  std::uint64_t address = 0;  // of the first byte of all of them, one after the other
  std::int32_t process = 0;   // that keeps them; 0: the sender itself
  std::uint32_t zero = 0;
};
static_assert(sizeof(Whereabouts) == 24);

// The receiver asks for `size` bytes: written to its memory when key_size is not 0, else in pieces.
struct Request {
  std::uint64_t size = 0;
  std::uint32_t send = 0;
  std::uint32_t receive = 0;  // the receiver's number for this operation
  std::uint64_t address = 0;
  std::uint32_t key_size = 0;
  std::uint32_t waited = 0;  // microseconds that the offer waited for a receive; 0: one was there
  std::byte key[32] = {};
};
static_assert(sizeof(Request) == 64);

struct Piece {
  std::uint32_t receive = 0;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;
};
static_assert(sizeof(Piece) == 16);

// Ends an operation of the receiver of this message: its number, and an MPI error class.
struct Done {
  std::uint32_t operation = 0;
  std::int32_t error = 0;
  std::uint32_t waited = 0;  // pull_done: as in Request
  std::uint32_t flags = 0;
};
static_assert(sizeof(Done) == 16);

// See pt2pt/quiesce.hpp.
struct Quiesce {
  std::uint32_t wants_answer = 0;
  std::uint32_t handled = 0;  // messages of the receiver that have cost it credits, so far
};
static_assert(sizeof(Quiesce) == 8);

// Begins the body of eager_ack.
struct Acknowledge {
  std::uint32_t send = 0;
  std::uint32_t place = 0;  // see transport/withdrawal.hpp
};
static_assert(sizeof(Acknowledge) == 8);

// A message that is taken back, by the sender's number for the operation: an offer or an eager_ack.
struct Withdrawal {
  std::uint32_t send = 0;
  std::uint16_t place = 0;  // as the message said
  std::uint16_t flags = 0;  // withdrawal_certain or 0
};
static_assert(sizeof(Withdrawal) == 8);
inline constexpr std::uint16_t withdrawal_certain = 1;  // the sender knows that nobody has received it: always answered

// See transport/shm/helping.hpp.
struct Help {
  std::uint64_t to = 0;    // in the memory of the sender of this
  std::uint64_t from = 0;  // in the memory of its receiver
  std::uint32_t size = 0;  // bytes
  std::uint32_t number = 0;
};
static_assert(sizeof(Help) == 24);

// Begins the body of active_large.
struct ActiveLarge {
  std::uint64_t size = 0;  // of the payload, in bytes
  std::uint32_t tag = 0;   // of the message that brings it, in side_context of the communicator
  std::uint32_t flags = 0;
};
static_assert(sizeof(ActiveLarge) == 16);

// Begins the body of rma. What the verbs are: src/rma/messages.hpp.
struct Rma {
  std::uint8_t verb = 0;
  std::uint8_t op = 0;       // the ABI's number of the operation
  std::uint16_t type = 0;    // and of the datatype of the elements
  std::uint32_t access = 0;  // the origin's number for what an answer belongs to
  std::uint64_t offset = 0;  // in the packed stream of the origin's result
  std::uint32_t runs = 0;    // so many RmaRun follow
  std::uint32_t bytes = 0;   // that they are altogether
};
static_assert(sizeof(Rma) == 24);

// From the beginning of the target's memory; of dynamic windows an address.
struct RmaRun {
  std::uint64_t place = 0;
  std::uint64_t bytes = 0;
};
static_assert(sizeof(RmaRun) == 16);

inline constexpr std::size_t max_body = max_message - sizeof(Header);

}  // namespace cow::wire
