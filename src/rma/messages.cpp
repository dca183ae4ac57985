#include "rma/messages.hpp"

#include <cstring>
#include <utility>

#include "objects/op.hpp"
#include "rma/access.hpp"
#include "rma/apply.hpp"
#include "rma/sync.hpp"

namespace cow::rma {
namespace {

using transport::Outgoing;
using transport::Peer;

// A message on its way, with its bytes.
struct Note : Outgoing {
  std::unique_ptr<std::byte[]> bytes;
};

void post_note(Window& window, int rank, const wire::Rma& head, std::unique_ptr<std::byte[]> bytes) {
  auto* const note = new Note;
  note->head.kind = wire::Kind::rma;
  note->head.context = window.comm->context;
  note->head.source = window.comm->rank;
  note->set_extra(head);
  note->bytes = std::move(bytes);
  note->body = {.bytes = note->bytes.get(), .size = head.bytes};
  note->posted = [](Outgoing& out, Error) { delete static_cast<Note*>(&out); };
  if (transport::post(transport::peer_of(window.comm->group->process(rank)), *note) == transport::Post::done)
    delete note;
}

// From progress.
void arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  Window* const window = find_window(head.context);
  wire::Rma rma;
  if (size < sizeof rma) return transport::drop(&peer, head, transport::Drop::body_size);
  memcpy(&rma, body, sizeof rma);
  const bool known = window && head.source >= 0 && head.source < window->comm->size() &&
                     window->comm->group->process(head.source) == peer.process;
  if (!known) return transport::drop(&peer, head, transport::Drop::no_operation);
  if (!handle(*window, head.source, rma, body + sizeof rma, size - sizeof rma))
    transport::drop(&peer, head, transport::Drop::body_size);
}

void answer(Window& window, int origin, const wire::Rma& head, const Places& places, bool fits) {
  wire::Rma reply;
  reply.verb = static_cast<std::uint8_t>(Verb::data);
  reply.access = head.access;
  reply.offset = head.offset;
  reply.runs = fits ? 0 : head.bytes;  // so many bytes will not come
  reply.bytes = fits ? head.bytes : 0;
  std::unique_ptr<std::byte[]> bytes(new std::byte[reply.bytes + 1]);
  if (fits) gather(places, bytes.get());
  if (origin == window.comm->rank) return take_data(reply, bytes.get());
  post_note(window, origin, reply, std::move(bytes));
}

bool handle_access(Window& window, int origin, const wire::Rma& head, const std::byte* rest, std::size_t size) {
  const auto verb = static_cast<Verb>(head.verb);
  const std::size_t runs = head.runs * sizeof(wire::RmaRun);
  if (head.runs > most_runs || head.bytes > most_bytes || size < runs) return false;
  Places places;
  const bool fits = find_places(window, head, rest, places);
  const std::byte* const data = rest + runs;
  const std::size_t data_size = size - runs;
  const bool reads = verb != Verb::put && verb != Verb::accumulate;
  // An answer is composed before the memory changes.
  if (reads) answer(window, origin, head, places, fits);
  if (!fits) {
    if (!reads) ++window.door_refusals[origin];
    return true;
  }
  if (verb == Verb::get) return data_size == 0;
  if (verb == Verb::put) return data_size == head.bytes && (scatter(places, data), true);
  if (verb == Verb::swap) return compare_and_swap(places, head, data, data_size);
  return accumulate(places, head, data, data_size);
}

void tell_answered(Window& window, int rank) {
  wire::Rma reply;
  reply.verb = static_cast<std::uint8_t>(Verb::answered);
  reply.runs = std::exchange(window.door_refusals[rank], 0);
  if (rank == window.comm->rank)
    handle(window, rank, reply, nullptr, 0);
  else
    post_note(window, rank, reply, nullptr);
}

}  // namespace

void open_messages() { transport::set_handler(wire::Kind::rma, arrived); }

void tell(Window& window, int rank, Verb verb) {
  wire::Rma head;
  head.verb = static_cast<std::uint8_t>(verb);
  if (rank == window.comm->rank)
    handle(window, rank, head, nullptr, 0);
  else
    post_note(window, rank, head, nullptr);
}

bool handle(Window& window, int origin, const wire::Rma& head, const std::byte* rest, std::size_t size) {
  Target& other = window.target(origin);
  switch (static_cast<Verb>(head.verb)) {
    case Verb::put:
    case Verb::get:
    case Verb::accumulate:
    case Verb::get_accumulate:
    case Verb::swap: return handle_access(window, origin, head, rest, size);
    case Verb::data: return size == head.bytes && (take_data(head, rest), true);
    case Verb::post: ++other.posts; return true;
    case Verb::complete: ++other.completes; return true;
    case Verb::lock_shared: ask_door(window, origin, Lock::shared); return true;
    case Verb::lock_exclusive: ask_door(window, origin, Lock::exclusive); return true;
    case Verb::unlock:
      leave_door(window);
      tell_answered(window, origin);
      return true;
    case Verb::flush: tell_answered(window, origin); return true;
    case Verb::answered: window.refused += head.runs; [[fallthrough]];
    case Verb::granted:
      if (other.awaited > 0) --other.awaited;
      return true;
    case Verb::count: break;
  }
  return false;
}

}  // namespace cow::rma
