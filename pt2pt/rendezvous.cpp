// Large messages. The sender makes an offer, which is matched like any message; the receiver then reads the data, or
// asks for them: to be written into its memory, or to be sent in pieces. See protocol.cpp for which.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>

#include "base/settings.hpp"
#include "pt2pt/engine.hpp"
#include "runtime/snapshot.hpp"
#include "transport/withdrawal.hpp"

namespace cow::pt2pt {

using transport::Post;

namespace {

Pool<Outgoing> answers;  // each is here until it has been posted

}  // namespace

template <class Extra>
void answer(Peer& peer, wire::Kind kind, const Extra& extra) {
  Outgoing* out = answers.make();
  out->head = {.kind = kind};
  out->set_extra(extra);
  out->posted = [](Outgoing& posted, Error) { answers.destroy(&posted); };
  if (transport::post(peer, *out) == Post::done) answers.destroy(out);
}
template void answer(Peer&, wire::Kind, const wire::Done&);
template void answer(Peer&, wire::Kind, const wire::Withdrawal&);

namespace {

Send& send_of(Outgoing& out) { return *static_cast<Send*>(out.owner); }
Receive& receive_of(Outgoing& out) { return *static_cast<Receive*>(out.owner); }

template <class Body>
bool parse(Peer& peer, const wire::Header& head, const std::byte* bytes, std::size_t size, Body& body,
           bool whole = true) {
  if (whole ? size != sizeof body : size < sizeof body) {
    transport::drop(&peer, head, Drop::body_size);
    return false;
  }
  memcpy(&body, bytes, sizeof body);
  return true;
}

// The operation that a peer refers to, if there is one and it is with that peer.
template <class Operation>
Operation* find_operation(IdTable<Operation>& table, std::uint32_t id, const Peer& peer, const wire::Header& head) {
  Operation* operation = table.find(id);
  if (operation && operation->peer == &peer) return operation;
  transport::drop(&peer, head, Drop::no_operation);
  return nullptr;
}

// ---- the receiver

void post_from_receive(Receive& receive, wire::Kind kind) {
  receive.transfer->out.owner = &receive;
  receive.transfer->out.head = {.kind = kind};
  receive.transfer->out.cost = 0;
  receive.transfer->out.posted = [](Outgoing& out, Error error) {
    Receive& owner = receive_of(out);
    owner.transfer->out_busy = false;
    if (owner.done())
      release(owner);
    else if (error)
      end(owner, error);
  };
  receive.transfer->out_busy = true;
  if (transport::post(*receive.peer, receive.transfer->out) == Post::done) receive.transfer->out_busy = false;
}

// Tells the sender that its buffer is free, and ends the receive.
void end_pull(Receive& receive, Error error) {
  answer(*receive.peer, wire::Kind::pull_done,
         wire::Done{.operation = receive.transfer->remote, .error = error.code(), .waited = receive.transfer->waited});
  end(receive, error);
}

void ask(Receive& receive, bool written);

// Takes data that may move, and finds where they are: see wire::Whereabouts. False: they must be asked for.
bool take_movable(Receive& receive, transport::Port& port) {
  wire::Offer& offer = receive.transfer->offer;
  const transport::Destination sender = receive.peer->destination;
  std::uint64_t whereabouts;
  if (offer.key_size != sizeof whereabouts) return false;
  memcpy(&whereabouts, offer.key, sizeof whereabouts);
  constexpr std::uint32_t yes = 1;
  wire::Whereabouts found;
  if (!port.poke(sender, whereabouts + offsetof(wire::Whereabouts, taken), &yes, sizeof yes)) return false;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!port.peek(sender, whereabouts + offsetof(wire::Whereabouts, moved), &found.moved, sizeof found.moved))
    return false;
  offer.flags &= static_cast<std::uint16_t>(~wire::offer_movable);
  offer.key_size = 1;  // the sender's own memory
  if (!found.moved) return offer.address != 0;
  if (!port.peek(sender, whereabouts, &found, sizeof found)) return false;
  offer.address = found.address;
  if (found.process == 0) return true;
  offer.key_size = sizeof found.process;
  memcpy(offer.key, &found.process, sizeof found.process);
  return true;
}

void start_read(Receive& receive) {
  // The peer may speak before it is known which of its addresses leads to it.
  if (receive.peer->state == Peer::State::failed) return end(receive, transport::failure_of(*receive.peer));
  if (receive.peer->state != Peer::State::up) return engine.stalled_reads.push(receive);
  transport::Port& port = transport::port_of(*receive.peer);
  if ((receive.transfer->offer.flags & wire::offer_movable) && !take_movable(receive, port)) return ask(receive, false);
  receive.transfer->read_end.receive = &receive;
  receive.transfer->read_end.done = [](transport::Completion& completion, Error error) {
    Receive& owner = *static_cast<Transfer::ReadEnd&>(completion).receive;
    if (error.code() == static_cast<int>(ErrorClass::unsupported_operation)) return ask(owner, false);
    end_pull(owner, error);
  };
  const wire::Offer& offer = receive.transfer->offer;
  const Post post = port.read(receive.peer->destination, data_of(receive.args.buffer, *receive.args.type),
                              receive.transfer->registered ? &receive.transfer->memory : nullptr, offer.address,
                              offer.key, offer.key_size, receive.transfer->expected, receive.transfer->read_end);
  if (post == Post::again) engine.stalled_reads.push(receive);
}

bool make_reachable(Receive& receive, bool needed) {
  if (!needed) return true;
  const void* data = data_of(receive.args.buffer, *receive.args.type);
  if (transport::port_of(*receive.peer).register_memory(data, receive.transfer->expected, receive.transfer->memory))
    return false;
  return receive.transfer->registered = true;
}

void ask(Receive& receive, bool written) {
  receive.transfer->id = engine.receives.insert(receive);
  wire::Request request{.size = receive.transfer->expected,
                        .send = receive.transfer->remote,
                        .receive = receive.transfer->id,
                        .waited = receive.transfer->waited};
  if (written) {
    request.address = receive.transfer->memory.address;
    request.key_size = receive.transfer->memory.key_size;
    memcpy(request.key, receive.transfer->memory.key, receive.transfer->memory.key_size);
  }
  receive.transfer->out.set_extra(request);
  post_from_receive(receive, wire::Kind::request);
}

void offer_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Offer offer;
  if (!parse(peer, head, body, size, offer)) return;
  if (offer.key_size > sizeof offer.key) return transport::drop(&peer, head, Drop::key);
  const std::uint16_t cost = transport::cost_of(sizeof offer);
  const std::uint8_t place = transport::checked_place(peer, offer.flags >> wire::offer_place_shift);
  bool withdrawn = false;
  Receive* receive = match_arrived(peer, head, place, offer.send, withdrawn);
  if (withdrawn) return transport::buffer_release(peer, cost);
  if (receive) {
    note_matched(*receive, head.source, head.tag, offer.size);
    transport::buffer_release(peer, cost);
    return take_offer(*receive, peer, offer, 0);
  }
  Unexpected* message = make_unexpected(0);
  COW_INVARIANT(message != nullptr);
  message->key = {head.context, head.source, head.tag};
  message->peer = &peer;
  message->size = offer.size;
  message->cost = cost;
  message->offered = true;
  message->place = place;
  message->since = now();
  message->offer = offer;
  engine.unexpected.insert(*message);
  if (completions_announced) announce_completion(nullptr);
}

void piece_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Piece piece;
  if (!parse(peer, head, body, size, piece, false)) return;
  Receive* receive = find_operation(engine.receives, piece.receive, peer, head);
  if (!receive) return;
  const std::byte* bytes = body + sizeof piece;
  size -= sizeof piece;
  if (piece.offset != receive->transfer->received || size > receive->transfer->expected - receive->transfer->received)
    return transport::drop(&peer, head, Drop::piece_place);
  const RecvArgs& args = receive->args;
  if (args.type->contiguous)
    memcpy(static_cast<std::byte*>(data_of(args.buffer, *args.type)) + piece.offset, bytes, size);
  else
    unpack(*args.type, args.buffer, args.count, static_cast<MPI_Count>(piece.offset), bytes,
           static_cast<MPI_Count>(size));
  receive->transfer->received += size;
  if (receive->transfer->received == receive->transfer->expected) end(*receive, success);
}

void push_done_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Done done;
  if (!parse(peer, head, body, size, done)) return;
  Receive* receive = find_operation(engine.receives, done.operation, peer, head);
  if (!receive) return;
  end(*receive, done.error ? fail(done.error, "the sender could not write its message") : success);
}

// ---- the sender

void note_lateness(Peer& peer, std::uint32_t waited) {
  const auto known = static_cast<std::int32_t>(std::min<std::uint32_t>(waited, 1 << 30));
  peer.lateness = peer.lateness < 0 ? known : (peer.lateness + known) / 2;
}

// The receiver may take its data, and has not asked for them yet.
bool is_offered(const Send& send) { return send.asked == 0 && send.out.head.kind == wire::Kind::offer; }

void pull_done_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Done done;
  if (!parse(peer, head, body, size, done)) return;
  Send* send = find_operation(engine.sends, done.operation, peer, head);
  if (!send) return;
  if (!is_offered(*send)) return transport::drop(&peer, head, Drop::wrong_moment);
  note_lateness(peer, done.waited);
  end(*send, done.error ? fail(done.error, "the receiver could not read the message") : success);
}

void produce_piece(void* state, void* out) {
  const auto& send = *static_cast<Send*>(state);
  pack(*send.args.type, send.args.buffer, send.args.count, static_cast<MPI_Count>(send.sent), out,
       static_cast<MPI_Count>(send.out.body.size));
}

std::size_t piece_size() {
  constexpr std::size_t largest = wire::max_body - sizeof(wire::Piece);
  const auto wanted = static_cast<std::size_t>(settings().pipeline_chunk);
  return wanted == 0 || wanted > largest ? largest : wanted;
}

void end_push(Send& send, Error error);

// Posts pieces until the port has no room or all are gone; goes on when the queued one has left.
void send_pieces(Send& send) {
  static const std::size_t most = piece_size();
  while (send.sent < send.asked) {
    const std::size_t size = std::min(most, send.asked - send.sent);
    send.out.head = {.kind = wire::Kind::piece};
    send.out.cost = 0;
    send.out.set_extra(wire::Piece{.receive = send.remote, .offset = send.sent});
    send.out.body = {.size = size};
    if (send.snapshot) {
      const auto* data = static_cast<const std::byte*>(data_of(send.args.buffer, *send.args.type));
      if (!send.snapshot->read(send.piece, data + send.sent, size))
        return end_push(send, fail(ErrorClass::other, "the snapshot of a message was killed"));
      send.out.body.bytes = send.piece;
    } else if (send.args.type->contiguous) {
      send.out.body.bytes = static_cast<const std::byte*>(data_of(send.args.buffer, *send.args.type)) + send.sent;
    } else {
      send.out.body.produce = produce_piece;
      send.out.body.state = &send;
    }
    send.out.posted = [](Outgoing& out, Error error) {
      Send& owner = send_of(out);
      if (error) return end(owner, error);
      owner.sent += owner.out.body.size;
      send_pieces(owner);
    };
    if (transport::post(*send.peer, send.out) != Post::done) return;
    send.sent += size;
  }
  end(send, success);
}

// All is written (or nothing could be): the receiver hears of it through the Outgoing of this send.
void end_push(Send& send, Error error) {
  answer(*send.peer, wire::Kind::push_done, wire::Done{.operation = send.remote, .error = error.code()});
  end(send, error);
}

void start_write(Send& send) {
  if (send.peer->state == Peer::State::failed) return end(send, transport::failure_of(*send.peer));
  transport::Port& port = transport::port_of(*send.peer);
  send.write_end.send = &send;
  send.write_end.done = [](transport::Completion& completion, Error error) {
    end_push(*static_cast<Send::WriteEnd&>(completion).send, error);
  };
  const void* data = data_of(send.args.buffer, *send.args.type);
  if (port.needs_local_registration() && !send.registered) {
    if (port.register_memory(data, send.asked, send.memory)) return send_pieces(send);
    send.registered = true;
  }
  const Post post =
      port.write(send.peer->destination, data, send.registered ? &send.memory : nullptr, send.request.address,
                 send.request.key, send.request.key_size, send.asked, send.write_end);
  if (post == Post::again) engine.stalled_writes.push(send);
}

void request_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Request request;
  if (!parse(peer, head, body, size, request)) return;
  Send* send = find_operation(engine.sends, request.send, peer, head);
  if (!send) return;
  if (request.size == 0 || request.size > send->size) return transport::drop(&peer, head, Drop::request_size);
  if (request.key_size > sizeof request.key) return transport::drop(&peer, head, Drop::key);
  if (!is_offered(*send)) return transport::drop(&peer, head, Drop::wrong_moment);
  note_lateness(peer, request.waited);
  send->request = request;
  send->remote = request.receive;
  send->asked = request.size;
  send->sent = 0;
  if (request.key_size > 0 && send->args.type->contiguous && !send->snapshot)
    start_write(*send);
  else
    send_pieces(*send);
}

// Of data that may move no key is given out: a local peer looks where they are when it takes them, and over a network they
// are asked for.
void describe_movable(const Send& send, transport::Port& port, wire::Offer& offer) {
  if (!port.reads_processes()) return;
  if (send.args.type->contiguous)
    offer.address = reinterpret_cast<std::uintptr_t>(data_of(send.args.buffer, *send.args.type));
  const std::uint64_t whereabouts = reinterpret_cast<std::uintptr_t>(send.where);
  offer.key_size = sizeof whereabouts;
  memcpy(offer.key, &whereabouts, sizeof whereabouts);
}

void describe_snapshot(const Send& send, transport::Port& port, wire::Offer& offer) {
  if (!port.reads_processes()) return;
  const std::int32_t process = send.snapshot->process();
  offer.address = reinterpret_cast<std::uintptr_t>(data_of(send.args.buffer, *send.args.type));
  offer.key_size = sizeof process;
  memcpy(offer.key, &process, sizeof process);
}

void describe_buffer(Send& send, transport::Port& port, wire::Offer& offer) {
  if (port.register_memory(data_of(send.args.buffer, *send.args.type), send.size, send.memory)) return;
  send.registered = true;
  offer.address = send.memory.address;
  offer.key_size = send.memory.key_size;
  memcpy(offer.key, send.memory.key, send.memory.key_size);
}

void post_offer(Send& send, wire::Offer& offer) {
  send.id = offer.send = engine.sends.insert(send);
  offer.size = send.size;
  offer.sent = now();
  if (send.where) offer.flags |= wire::offer_movable;
  if (send.args.type->contiguous && !send.snapshot) offer.flags |= wire::offer_contiguous;
  send.place = transport::take_place(*send.peer);
  offer.flags |= static_cast<std::uint16_t>(send.place << wire::offer_place_shift);
  send.out.head.kind = wire::Kind::offer;
  send.out.cost = transport::cost_of(sizeof offer);
  send.out.set_extra(offer);
  send.out.posted = [](Outgoing& out, Error error) {
    if (error) end(send_of(out), error);
  };
  (void)transport::post(*send.peer, send.out);
}

}  // namespace

void begin_readable(Send& send) {
  transport::Port& port = transport::port_of(*send.peer);
  wire::Offer offer;
  if (send.where)
    describe_movable(send, port, offer);
  else if (send.snapshot)
    describe_snapshot(send, port, offer);
  else
    describe_buffer(send, port, offer);
  post_offer(send, offer);
}

void begin_offer(Send& send) {
  wire::Offer offer;
  post_offer(send, offer);
}

void take_by_read(Receive& receive) {
  if (make_reachable(receive, transport::port_of(*receive.peer).needs_local_registration())) return start_read(receive);
  ask(receive, false);
}

void take_by_write(Receive& receive) { ask(receive, make_reachable(receive, true)); }

void take_in_pieces(Receive& receive) { ask(receive, false); }

void take_offer(Receive& receive, Peer& peer, const wire::Offer& offer, std::uint32_t waited) {
  receive.peer = &peer;
  if (!receive.transfer) receive.transfer = engine.transfer_pool.make();
  receive.transfer->received = 0;
  receive.transfer->remote = offer.send;
  receive.transfer->offer = offer;
  if (peer.local)
    waited = static_cast<std::uint32_t>(std::clamp<Nanoseconds>((now() - offer.sent) / microsecond, 0, 1 << 30));
  receive.transfer->waited = waited;
  receive.transfer->expected = std::min<std::size_t>(offer.size, receive.room);
  if (receive.transfer->expected == 0) return end_pull(receive, success);
  const bool readable =
      offer.key_size > 0;  // then it is one run, though it may not be there where it could be written from
  const bool one_run = readable || (offer.flags & wire::offer_contiguous) != 0;
  choose({offer.size, one_run, receive.args.type->contiguous, true, readable}, route_to(peer)).take(receive);
}

void retry_stalled() {
  auto reads = engine.stalled_reads;
  engine.stalled_reads = {};
  while (!reads.empty()) start_read(reads.pop());
  auto writes = engine.stalled_writes;
  engine.stalled_writes = {};
  while (!writes.empty()) start_write(writes.pop());
}

void open_rendezvous() {
  transport::set_handler(wire::Kind::offer, offer_arrived);
  transport::set_handler(wire::Kind::pull_done, pull_done_arrived);
  transport::set_handler(wire::Kind::request, request_arrived);
  transport::set_handler(wire::Kind::piece, piece_arrived);
  transport::set_handler(wire::Kind::push_done, push_done_arrived);
}

}  // namespace cow::pt2pt
