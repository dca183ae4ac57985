// Receives, and eager messages as they arrive.
#include <algorithm>
#include <cstring>

#include "base/at_end.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/progress.hpp"
#include "transport/withdrawal.hpp"

namespace cow::pt2pt {
namespace {

// Keeps a message that nobody waits for.
void keep(Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size, std::uint32_t acknowledge,
          std::uint8_t place) {
  Unexpected* message = make_unexpected(size);
  // Credits bound what can be piled up, so this is the machine's memory at its end, not a fast sender.
  COW_INVARIANT(message != nullptr);
  message->key = {head.context, head.source, head.tag};
  message->peer = &peer;
  message->size = size;
  message->cost = transport::cost_of(size);
  message->acknowledge = head.kind == wire::Kind::eager_ack;
  message->send = acknowledge;
  message->place = place;
  memcpy(message->bytes(), bytes, size);
  engine.unexpected.insert(*message);
  if (completions_announced) announce_completion(nullptr);
}

void eager_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  Receive* receive = engine.posted.take({head.context, head.source, head.tag});
  if (!receive) return keep(peer, head, body, size, 0, 0);
  take_eager(*receive, peer, head, body, size);
}

void eager_ack_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Acknowledge acknowledge;
  if (size < sizeof acknowledge) return transport::drop(&peer, head, Drop::body_size);
  memcpy(&acknowledge, body, sizeof acknowledge);
  body += sizeof acknowledge;
  size -= sizeof acknowledge;
  const std::uint8_t place = transport::checked_place(peer, acknowledge.place);
  bool withdrawn = false;
  Receive* receive = match_arrived(peer, head, place, acknowledge.send, withdrawn);
  if (withdrawn) return transport::buffer_release(peer, transport::cost_of(size));
  if (!receive) return keep(peer, head, body, size, acknowledge.send, place);
  answer(peer, wire::Kind::matched, wire::Done{.operation = acknowledge.send});
  take_eager(*receive, peer, head, body, size);
}

void matched_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Done done;
  if (size != sizeof done) return transport::drop(&peer, head, Drop::body_size);
  memcpy(&done, body, sizeof done);
  Send* send = engine.sends.find(done.operation);
  if (!send || send->peer != &peer) return transport::drop(&peer, head, Drop::no_operation);
  if (send->out.head.kind != wire::Kind::eager_ack) return transport::drop(&peer, head, Drop::wrong_moment);
  end(*send, done.error ? Error(done.error) : success);
}

}  // namespace

void deliver(Receive& receive, const std::byte* bytes, std::size_t size) {
  const RecvArgs& args = receive.args;
  const std::size_t fits = size <= receive.room ? size : receive.room;
  if (fits == 0) return;
  if (args.type->contiguous)
    memcpy(data_of(args.buffer, *args.type), bytes, fits);
  else
    unpack(*args.type, args.buffer, args.count, 0, bytes, static_cast<MPI_Count>(fits));
}

void open_eager() {
  transport::set_handler(wire::Kind::eager, eager_arrived);
  transport::set_handler(wire::Kind::eager_ack, eager_ack_arrived);
  transport::set_handler(wire::Kind::matched, matched_arrived);
}

void take_eager(Receive& receive, Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size) {
  note_matched(receive, head.source, head.tag, size);
  deliver(receive, bytes, size);
  transport::buffer_release(peer, transport::cost_of(size));
  end(receive, success);
}

void take(Receive& receive, Unexpected* message) {
  note_matched(receive, message->key.source, message->key.tag, message->size);
  Peer* peer = message->peer;
  if (peer) {
    if (message->cost) transport::buffer_release(*peer, message->cost);
    if (message->acknowledge) answer(*peer, wire::Kind::matched, wire::Done{.operation = message->send});
  }
  if (message->fetched) return hand_over(receive, message);
  if (message->local) {
    take_local(receive, *message->local);
  } else if (message->offered) {
    const Nanoseconds waited = std::clamp<Nanoseconds>((now() - message->since) / microsecond, 1, 1 << 30);
    take_offer(receive, *peer, message->offer, static_cast<std::uint32_t>(waited));
  } else {
    deliver(receive, message->bytes(), message->size);
    end(receive, success);
  }
  free_unexpected(message);
}

bool begin_with_unexpected(Receive& receive) {
  Unexpected* message = find_unexpected(receive.key, true);
  if (!message) return false;
  take(receive, message);
  return true;
}

Error irecv(const RecvArgs& args, Request*& out) {
  Receive* receive = engine.receive_pool.make(receive_kind);
  out = receive;
  if (args.rank == MPI_PROC_NULL) {
    receive->status.MPI_SOURCE = MPI_PROC_NULL;
    mark_complete(*receive);
    return success;
  }
  prepare(*receive, args);
  begin(*receive);
  return success;
}

Error recv(const RecvArgs& args, MPI_Status* status) {
  return receive_short(args, status) ? success : recv_by_engine(args, status);
}

Error recv_by_engine(const RecvArgs& args, MPI_Status* status) {
  if (args.rank == MPI_PROC_NULL) {
    show(status_of_nobody(), status);
    return success;
  }
  Receive receive(receive_on_stack_kind);
  prepare(receive, args);
  begin(receive);
  const auto over = [&] { return receive.done() && !receive.answering(); };
  if (!over()) {
    AtEnd giving_up([&] {  // nothing may refer to it when it is gone
      const progress::Settling settling;
      receive.kind->cancel(receive).ignore();
      progress::wait_until(over);
      release(receive);
    });
    progress::wait_until(over);
    giving_up.forget();
  }
  show(receive.status, status);
  const Error error = error_of(receive);
  release(receive);
  return error;
}

}  // namespace cow::pt2pt
