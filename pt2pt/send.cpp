// Sends: eager messages leave at once; large ones are offered.
#include "base/at_end.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/progress.hpp"
#include "transport/withdrawal.hpp"

namespace cow::pt2pt {
namespace {

Send& owner(Outgoing& out) { return *static_cast<Send*>(out.owner); }

void produce(void* state, void* out) {
  const auto& send = *static_cast<Send*>(state);
  pack(*send.args.type, send.args.buffer, send.args.count, 0, out, static_cast<MPI_Count>(send.size));
}

void fill_eager_body(Send& send) {
  send.out.body.size = send.size;
  if (send.args.type->contiguous) {
    send.out.body.bytes = data_of(send.args.buffer, *send.args.type);
  } else {
    send.out.body.produce = produce;
    send.out.body.state = &send;
  }
}

}  // namespace

void begin_eager(Send& send) {
  send.out.cost = transport::cost_of(send.size);
  fill_eager_body(send);
  if (send.args.mode == SendMode::synchronous) {
    send.id = engine.sends.insert(send);
    send.out.head.kind = wire::Kind::eager_ack;
    send.place = transport::take_place(*send.peer);
    send.out.set_extra(wire::Acknowledge{.send = send.id, .place = send.place});
    send.out.posted = [](Outgoing& out, Error error) {
      if (error) end(owner(out), error);
    };
    (void)transport::post(*send.peer, send.out);
    return;
  }
  send.out.head.kind = wire::Kind::eager;
  send.out.posted = [](Outgoing& out, Error error) { end(owner(out), error); };
  if (transport::post(*send.peer, send.out) == transport::Post::done) end(send, success);
}

void begin(Send& send, bool at_once) {
  const SendArgs& args = send.args;
  const Process process = args.comm->peers().process(args.rank);
  send.out.owner = &send;
  send.out.head.context = args.context;
  send.out.head.source = args.comm->rank;
  send.out.head.tag = args.tag;
  if (process == engine.self) return begin_local(send);
  send.peer = &transport::peer_of(process);
  if (at_once) return begin_eager(send);
  // What may move is one run of memory where it is kept, whatever its type.
  const bool contiguous = args.type->contiguous || send.where;
  choose({send.size, contiguous, true}, route_to(*send.peer)).begin(send);
}

Error isend(const SendArgs& args, Request*& out) {
  if (args.mode != SendMode::synchronous &&
      send_at_once(args.buffer, args.count, *args.type, args.rank, args.tag, *args.comm, args.context)) {
    out = &sent_request;
    retain(sent_request);
    return success;
  }
  Send* send = engine.send_pool.make(send_kind);
  out = send;
  if (args.rank == MPI_PROC_NULL) {
    mark_complete(*send);
    return success;
  }
  prepare(*send, args);
  begin(*send);
  return success;
}

Error send(const SendArgs& args) {
  if (args.rank == MPI_PROC_NULL) return success;
  if (args.mode != SendMode::synchronous &&
      send_at_once(args.buffer, args.count, *args.type, args.rank, args.tag, *args.comm, args.context))
    return success;
  Send send(send_on_stack_kind);
  prepare(send, args);
  begin(send);
  if (!send.done()) {
    AtEnd giving_up([&] { give_up(send); });  // nothing may refer to it when it is gone
    progress::wait_until([&] { return send.done(); });
    giving_up.forget();
  }
  const Error error = error_of(send);
  release(send);
  return error;
}

}  // namespace cow::pt2pt
