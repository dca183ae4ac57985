// The short path of a wait for a handler.
#include "pt2pt/active_fast_path.hpp"

#include "base/machine.hpp"
#include "runtime/progress.hpp"
#include "runtime/quick_poll.hpp"
#include "runtime/waiting.hpp"

namespace cow::pt2pt {
namespace {

using transport::shm::Link;

// Hands the next message of a fifo to its handler. False: it is something else, and nothing was done.
[[gnu::always_inline]] inline bool handle_next(Link& link) {
  const wire::Header& next = link.in.head();
  Handlers* const handlers = last_handlers;
  if (!link.owner || next.kind != wire::Kind::active || !handlers || next.context != handlers->context) return false;
  Peer& peer = *static_cast<Peer*>(link.owner);
  progress::polling = true;
  const bool sound = link.in.take([&](const wire::Header& line, const std::byte* body, std::size_t size) {
    wire::Header head = line;  // the sender could still write to it
    head.kind = wire::Kind::active;
    transport::note_received(peer, head);
    take_active(peer, handlers, head, body, size);
  });
  progress::polling = false;
  if (__builtin_expect(!sound, 0)) transport::drop(&peer, {}, transport::Drop::fifo_line);
  link.taken_one();
  if (__builtin_expect(progress::have_thrown.load(std::memory_order_relaxed), 0)) progress::pass_thrown();
  return true;
}

}  // namespace

bool handler_sets(const volatile int* flag) {
  constexpr int patience = 100;                // looks in vain, about a microsecond
  constexpr unsigned between_polls = 64;       // messages
  constexpr int between_looks_elsewhere = 16;  // looks in vain, where messages come over a network too
  static unsigned moved = 0;
  if (runtime::waiting_policy().spin == 0 || progress::polling || !transport::shared_memory) return false;
  for (int i = 0; i < patience && !is_set(flag); ++i) {
    Link* const link = transport::shared_memory->next_ready();
    if (!link) {
      if (i % between_looks_elsewhere == between_looks_elsewhere - 1 && !transport::only_local_peers())
        progress::poll();
      pause_processor();
      continue;
    }
    i = 0;
    if (__builtin_expect(transport::shared_memory->is_copying(), 0) || !handle_next(*link)) progress::poll_quickly();
    if (++moved % between_polls == 0) progress::poll();
  }
  return is_set(flag);
}

}  // namespace cow::pt2pt
