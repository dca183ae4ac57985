// What the files of active messages share: the handlers of a communicator, and a message while it is handled.
#pragma once

#include <mpix.h>

#include <vector>

#include "pt2pt/active.hpp"
#include "runtime/progress.hpp"
#include "transport/peer.hpp"

namespace cow::pt2pt {

struct HandlerEntry {
  Handler handler;
  void* state;
  Form form;
};

struct Handlers final : CommExtension {
  explicit Handlers(Comm& of) : comm(&of), handle(handle_of(of)), context(of.context) {}
  ~Handlers() override;
  Comm* comm;
  MPI_Comm handle;
  std::uint64_t context;
  unsigned count = 0;  // of the entries
  std::vector<HandlerEntry> entries;

  bool has(int index) const { return static_cast<unsigned>(index) < count; }  // of a negative one: no
};

Handlers* find_handlers(std::uint64_t context);  // null: there are none
extern Handlers* last_handlers;                  // that it found; may be null

constexpr int tag_of(int handler, int header_size) { return handler << 8 | header_size; }

// The credits of a message that is being handled. They go back when nobody holds this any more: the handler, and a reply
// of it that has not left.
struct Credit {
  transport::Peer* peer;  // null: from this process
  std::uint16_t cost;
  std::uint32_t holders = 1;
};

// While a handler runs in progress.
struct Running {
  transport::Peer* peer = nullptr;
  std::uint16_t cost = 0;
  Credit* credit = nullptr;  // made when a reply is queued
};

// What the program sees, and what a reply needs to know.
struct Message : MPIX_Am_message {
  const Handlers* handlers = nullptr;
  Running* running = nullptr;  // in progress
  Credit* credit = nullptr;    // in a thread
};

void drop(Credit* credit);  // one holder less

// A message that its handler does not take in progress is kept for it.
void keep_active(transport::Peer& peer, Handlers& handlers, const wire::Header& head, const std::byte* body,
                 std::size_t size);

// Whether the message can be one for these handlers (null: for none): what it says of itself fits.
[[gnu::always_inline]] inline bool fits(const Handlers* handlers, const wire::Header& head, std::size_t size) {
  return handlers && handlers->has(head.tag >> 8) && static_cast<std::size_t>(head.tag & 255) <= size &&
         static_cast<unsigned>(head.source) < static_cast<unsigned>(handlers->comm->peers().size());
}

// A whole message, in progress, from where its bytes have arrived: calls its handler, or has it kept.
[[gnu::always_inline]] inline void take_active(transport::Peer& peer, Handlers* handlers, const wire::Header& head,
                                               const std::byte* body, std::size_t size) {
  const std::uint16_t cost = transport::cost_of(size);
  if (__builtin_expect(!fits(handlers, head, size), 0)) {
    transport::drop(&peer, head, transport::Drop::no_handler);
    return transport::buffer_release(peer, cost);
  }
  const HandlerEntry& entry = handlers->entries[static_cast<std::size_t>(head.tag >> 8)];
  if (__builtin_expect(entry.form != Form::in_progress, 0)) return keep_active(peer, *handlers, head, body, size);
  const int header_size = head.tag & 255;
  Running running{&peer, cost};
  Message message;
  message.comm = handlers->handle;
  message.source = head.source;
  message.handler = head.tag >> 8;
  message.header_size = header_size;
  message.header = body;
  message.payload = body + header_size;
  message.size = static_cast<MPI_Count>(size) - header_size;
  message.handlers = handlers;
  message.running = &running;
  progress::call_program([&] { entry.handler(&message, entry.state); });
  ++active_counters.handled;
  if (__builtin_expect(running.credit != nullptr, 0))
    drop(running.credit);
  else
    transport::release_buffer_soon(peer, cost);
}

}  // namespace cow::pt2pt
