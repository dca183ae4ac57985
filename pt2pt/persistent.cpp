#include "pt2pt/persistent.hpp"

#include "pt2pt/buffered.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/send_mode.hpp"

namespace cow::pt2pt {
namespace {

// A persistent operation is one request for its whole life: starting it sets it back to where it began. It keeps its own
// references to the type and the communicator, since the program may free both between two starts.

struct PersistentSend : Send {
  using Send::Send;
  Request* begun = nullptr;  // in its stead, until that is complete
};
Pool<PersistentSend> persistent_sends;

void reset(Request& request) {
  request.complete.store(false, std::memory_order_relaxed);
  request.status = empty_status;
  request.failure.reset();
}

void release_send(Request& request) {
  auto& send = static_cast<PersistentSend&>(request);
  release(*send.args.type);
  if (send.comm) release(*send.comm);
  persistent_sends.destroy(&send);
}

void release_receive(Request& request) {
  auto& receive = static_cast<Receive&>(request);
  release(*receive.args.type);
  if (receive.comm) release(*receive.comm);
  destroy(receive);
}

// The persistent send is complete, or cancelled, when the one that was begun in its stead is.
void follow(PersistentSend& send, Request& begun) {
  struct Follower : Continuation {
    PersistentSend* send;
  };
  auto* follower = new Follower;
  follower->send = &send;
  follower->run = [](Continuation& self, Request& ended) {
    auto& each = static_cast<Follower&>(self);
    each.send->begun = nullptr;
    set_cancelled(each.send->status, is_cancelled(ended.status));
    finish(*each.send, error_of(ended));
    delete &each;
  };
  retain(send);
  send.begun = &begun;  // referenced by the engine until it is complete
  when_complete(begun, *follower);
  release(begun);
}

void need_begun(Request& request) {
  if (Request* begun = static_cast<PersistentSend&>(request).begun) note_needed(*begun);
}

Error start_send(Request& request) {
  auto& send = static_cast<PersistentSend&>(request);
  reset(send);
  send.sent = send.asked = 0;
  send.cancelling = false;
  send.out = {};
  if (send.args.rank == MPI_PROC_NULL) return mark_complete(send), success;
  if (send.args.mode == SendMode::buffered) {
    mark_complete(send);
    return send_buffered(send.args);
  }
  if (send.args.mode == SendMode::standard && buffer_release_of(send.args) != BufferRelease::notify) {
    Request* debt;
    if (Error error = isend_giving_back(send.args, debt)) return error;
    follow(send, *debt);
    return success;
  }
  retain(send);
  retain(*send.args.type);
  begin(send);
  return success;
}

Error start_receive(Request& request) {
  auto& receive = static_cast<Receive&>(request);
  reset(receive);
  receive.message_size = 0;
  if (receive.args.rank == MPI_PROC_NULL) {
    receive.status.MPI_SOURCE = MPI_PROC_NULL;
    return mark_complete(receive), success;
  }
  retain(receive);
  retain(*receive.args.type);
  begin(receive);
  return success;
}

Error cancel_persistent_send(Request& request) {
  auto& send = static_cast<PersistentSend&>(request);
  return send.begun ? cancel_send(*send.begun) : cancel_send(send);
}

Error cancel_receive(Request& request) { return receive_kind.cancel(request); }

const RequestKind persistent_send{.name = "persistent send",
                                  .start = start_send,
                                  .cancel = cancel_persistent_send,
                                  .release = release_send,
                                  .needed = need_begun};
const RequestKind persistent_receive{
    .name = "persistent receive", .start = start_receive, .cancel = cancel_receive, .release = release_receive};

void make_inactive(Request& request) {
  request.persistent = true;
  request.active = false;
  release(request);  // the engine's reference, which each start takes anew
}

}  // namespace

Error make_persistent(const SendArgs& args, Request*& out) {
  PersistentSend* send = persistent_sends.make(persistent_send);
  prepare(*send, args);
  make_inactive(*send);
  out = send;
  return success;
}

Error make_persistent(const RecvArgs& args, Request*& out) {
  Receive* receive = engine.receive_pool.make(persistent_receive);
  prepare(*receive, args);
  make_inactive(*receive);
  out = receive;
  return success;
}

Error start(Request& request) {
  if (!request.persistent) return fail(ErrorClass::request, "the request is not a persistent one");
  if (request.active) return fail(ErrorClass::request, "the persistent request has been started already");
  request.active = true;
  const Error error = request.kind->start(request);
  if (error) request.active = false;
  return error;
}

}  // namespace cow::pt2pt
