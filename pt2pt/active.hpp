// Active messages: each names a handler at the receiver, by its number, and is handled when it comes.
//
// A small message travels whole (Kind::active). The payload of a large one comes as a point-to-point message of its own,
// which the receiver asks for when it has room (COW_ACTIVE_LIMIT). Credits of the sender (transport/peer.hpp) bound what
// is on its way, and are given back when the handler has ended; when it has replied, and the reply cannot leave yet, when
// the reply has left. So a slow receiver stops fast senders, and a requester that takes no replies stops itself.
#pragma once

#include "objects/comm.hpp"

struct MPIX_Am_message;

namespace cow::pt2pt {

inline constexpr int most_header_bytes = 255;

enum class Form : std::uint8_t {
  in_progress,  // called by progress, under the lock
  in_pool,      // by a thread of the pool
  in_own_thread
};

using Handler = void (*)(const MPIX_Am_message*, void* state);

// Adds a handler to a communicator; all ranks must, in the same order, which numbers it.
int add_handler(Comm& comm, Handler handler, void* state, Form form);
// Handlers of a communicator, so far.
int handler_count(const Comm& comm);

struct ActiveArgs {
  Comm* comm;
  int rank;     // in comm->peers()
  int handler;  // its number
  const void* header;
  int header_size;  // bytes
  const void* payload;
  std::size_t size;  // bytes
};

// Sends; when it returns the buffers are the caller's. Called by a handler that runs in progress it does not wait, but
// copies what cannot leave.
Error send_active(const ActiveArgs& args);
// The same to the sender of a message, by its handler, which in no case waits.
Error reply_active(const MPIX_Am_message& to, ActiveArgs args);

void open_active();  // registers the message kinds
// Waits until all that handlers have sent has left. Under the lock.
void settle_active();

struct ActiveCounters {
  std::uint64_t handled = 0;
  std::uint64_t in_threads = 0;  // of these: by threads of their own or of the pool
  std::uint64_t replies_queued = 0;
  std::size_t most_waiting = 0;  // bytes of messages that waited for threads at once
};
extern ActiveCounters active_counters;

}  // namespace cow::pt2pt
