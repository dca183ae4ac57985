// Sends that are cancelled. A message either is taken back, so that no receive and no probe will find it, or is received
// as if nothing had happened; it is taken back as long as nothing has matched it.
//
// To this process, or while it waits for credits, the message is simply removed. What waits at a receiver on this node is
// decided without the receiver (transport/withdrawal.hpp), which clears up when it comes to it. Over a network the
// receiver is asked: a receive that it has matched may be complete already, so only it can know. Its answer, or what ends
// the send anyway, completes the request.
//
// A message that MPI_Mprobe has taken will be received, but nobody knows when. So that the sender need not wait for that,
// the holder of the message gets a copy.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "pt2pt/engine.hpp"
#include "pt2pt/probe.hpp"
#include "transport/withdrawal.hpp"

namespace cow::pt2pt {
namespace {

void forget(Unexpected* message) {
  engine.unexpected.remove(*message);
  if (message->peer && message->cost) transport::buffer_release(*message->peer, message->cost);
  free_unexpected(message);
}

// ---- the sender

void end_cancelled(Send& send) {
  set_cancelled(send.status, true);
  end(send, success);
}

template <class Wanted>
Unexpected* find_waiting(Wanted wanted) {
  Unexpected* found = nullptr;
  engine.unexpected.each([&](Unexpected& message) {
    if (!found && wanted(message)) found = &message;
  });
  return found;
}

// The same among those that MPI_Mprobe has taken.
template <class Wanted>
Unexpected* find_held(Wanted wanted, Comm*& comm) {
  Unexpected* found = nullptr;
  table<Message>().each([&](Message& message) {
    auto* unexpected = static_cast<Unexpected*>(message.unexpected);
    if (!unexpected || !wanted(*unexpected)) return;
    found = unexpected;
    comm = message.comm;
  });
  return found;
}

// To this process, and not received yet.
void cancel_local(Send& send) {
  const auto wanted = [&](const Unexpected& message) { return message.local == &send; };
  if (Unexpected* message = find_waiting(wanted)) {
    forget(message);
    return end_cancelled(send);
  }
  Comm* comm;
  Unexpected* held = find_held(wanted, comm);
  if (!held) return;
  held->kept = static_cast<std::byte*>(malloc(send.size ? send.size : 1));
  if (!held->kept) return;  // the send is complete when it is received
  pack(*send.args.type, send.args.buffer, send.args.count, 0, held->kept, static_cast<MPI_Count>(send.size));
  held->local = nullptr;
  end(send, success);
}

void ask_for(Send& send) {
  send.cancelling = true;
  const wire::Withdrawal asked{.send = send.id, .place = send.place};
  answer(*send.peer, wire::Kind::cancel, asked);
}

// The receiver will not accept it. The place stays taken until the receiver has seen that.
void end_withdrawn(Send& send) {
  const wire::Withdrawal told{
      .send = send.id, .place = std::exchange(send.place, 0), .flags = wire::withdrawal_certain};
  answer(*send.peer, wire::Kind::cancel, told);
  end_cancelled(send);
}

void withdrawn_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Withdrawal withdrawal;
  if (size != sizeof withdrawal) return transport::drop(&peer, head, Drop::body_size);
  memcpy(&withdrawal, body, sizeof withdrawal);
  if (withdrawal.flags & wire::withdrawal_certain) {
    if (!transport::checked_place(peer, withdrawal.place)) return transport::drop(&peer, head, Drop::withdrawal_place);
    return transport::free_place(peer, withdrawal.place);
  }
  Send* send = engine.sends.find(withdrawal.send);
  if (!send || send->peer != &peer) return transport::drop(&peer, head, Drop::no_operation);
  if (!send->cancelling || send->asked != 0) return transport::drop(&peer, head, Drop::wrong_moment);
  end_cancelled(*send);
}

// ---- the receiver

// Brings the bytes of an offered message that MPI_Mprobe has taken, so that its sender is done.
void fetch(Unexpected& message, Comm& comm) {
  if (message.fetched) return;
  message.kept = static_cast<std::byte*>(malloc(message.size ? message.size : 1));
  if (!message.kept) return;  // the send is complete when it is received
  Receive* receive = engine.receive_pool.make(receive_kind);
  message.fetched = receive;
  prepare(*receive, {message.kept, static_cast<MPI_Count>(message.size), find(MPI_BYTE), message.key.source,
                     message.key.tag, &comm, message.key.context});
  note_matched(*receive, message.key.source, message.key.tag, message.size);
  transport::buffer_release(*message.peer, std::exchange(message.cost, std::uint16_t{0}));
  take_offer(*receive, *message.peer, message.offer, 0);
}

// The sender of a message that is neither waiting nor forgotten: matched by a receive, which ends the send, or taken by
// MPI_Mprobe.
void release_sender(Peer& peer, std::uint32_t number) {
  Comm* comm;
  Unexpected* held = find_held(
      [&](const Unexpected& message) {
        return message.peer == &peer && (message.offered || message.acknowledge) && message.number() == number;
      },
      comm);
  if (!held) return;
  if (held->offered) return fetch(*held, *comm);
  held->acknowledge = false;  // its bytes are here
  answer(peer, wire::Kind::matched, wire::Done{.operation = number});
}

void cancel_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  wire::Withdrawal withdrawal;
  if (size != sizeof withdrawal) return transport::drop(&peer, head, Drop::body_size);
  memcpy(&withdrawal, body, sizeof withdrawal);
  Unexpected* waiting = find_waiting([&](const Unexpected& message) {
    return message.peer == &peer && (message.offered || message.acknowledge) && message.number() == withdrawal.send;
  });
  if (waiting) forget(waiting);
  const bool dropped = transport::was_dropped(peer, withdrawal.place, withdrawal.send);
  const bool certain = withdrawal.flags & wire::withdrawal_certain;
  if (waiting || dropped || certain) return answer(peer, wire::Kind::withdrawn, withdrawal);
  release_sender(peer, withdrawal.send);
}

bool accepted(const Unexpected& message) {
  return !message.place || transport::accept(*message.peer, message.place, message.number());
}

// A receive that waits for the bytes of a message to be fetched.
struct Handover : Continuation {
  Receive* receive;
  Unexpected* message;
};

}  // namespace

Error cancel_send(Request& request) {
  auto& send = static_cast<Send&>(request);
  if (!send.peer) return cancel_local(send), success;
  if (send.cancelling || send.asked != 0) return success;  // the receiver is asking for it
  if (transport::take_back(*send.peer, send.out)) return end_cancelled(send), success;
  if (send.id == Send::no_id) return success;
  if (transport::withdraw(*send.peer, send.place, send.id))
    end_withdrawn(send);
  else
    ask_for(send);
  return success;
}

bool is_withdrawn(const Unexpected& message) {
  return message.place && transport::is_withdrawn(*message.peer, message.place, message.number());
}

Unexpected* find_unexpected(const MatchKey& key, bool accept) {
  while (Unexpected* message = engine.unexpected.find(key)) {
    if (accept ? accepted(*message) : !is_withdrawn(*message)) {
      if (accept) engine.unexpected.remove(*message);
      return message;
    }
    transport::note_dropped(*message->peer, message->place, message->number());
    forget(message);
  }
  return nullptr;
}

Receive* match_arrived(Peer& peer, const wire::Header& head, std::uint8_t place, std::uint32_t number,
                       bool& withdrawn) {
  Receive* receive = engine.posted.find({head.context, head.source, head.tag});
  if (!receive) return nullptr;
  if (place && !transport::accept(peer, place, number)) {
    transport::note_dropped(peer, place, number);
    withdrawn = true;
    return nullptr;
  }
  engine.posted.remove(*receive);
  return receive;
}

void hand_over(Receive& receive, Unexpected* message) {
  auto* handover = new Handover;
  handover->receive = &receive;
  handover->message = message;
  handover->run = [](Continuation& continuation, Request& fetched) {
    auto& self = static_cast<Handover&>(continuation);
    const Error error = error_of(fetched);
    if (!error) deliver(*self.receive, self.message->bytes(), self.message->size);
    end(*self.receive, error);
    free_unexpected(self.message);
    release(fetched);
    delete &self;
  };
  when_complete(*message->fetched, *handover);
}

void open_cancel() {
  transport::set_handler(wire::Kind::cancel, cancel_arrived);
  transport::set_handler(wire::Kind::withdrawn, withdrawn_arrived);
}

}  // namespace cow::pt2pt
