// The engine's state, the life of operations, and messages that nobody waits for yet.
#include "pt2pt/engine.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "base/settings.hpp"
#include "objects/comm_name.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/withdrawal.hpp"

namespace cow::pt2pt {

Engine engine;

namespace {

// A request keeps its communicator, whose error handler may be wanted, until nobody can ask any more.
void release_comm(Request& request) {
  if (request.comm) release(*request.comm);
}

void release_send(Request& request) {
  release_comm(request);
  engine.send_pool.destroy(static_cast<Send*>(&request));
}

// A receive that no message has matched yet can be taken back; anything else ends on its own.
Error cancel_receive(Request& request) {
  auto& receive = static_cast<Receive&>(request);
  if (!receive.queue) return success;
  engine.posted.remove(receive);
  set_cancelled(receive.status, true);
  end(receive, success);
  return success;
}

progress::Source stalled_source;

std::size_t poll_stalled(progress::Source& source) {
  if (engine.stalled()) retry_stalled();
  source.deadline = engine.stalled() ? 0 : progress::Source::no_deadline;
  return 0;
}

// A peer has failed: no answer of its will come. What has data on their way ends with these.
void end_what_waits_for(Peer& peer) {
  std::vector<std::uint32_t> sends, receives;  // an end may begin and end others
  engine.sends.each([&](Send& send) {
    if (send.peer == &peer && send.asked == 0) sends.push_back(send.id);
  });
  engine.receives.each([&](Receive& receive) {
    if (receive.peer == &peer && receive.transfer) receives.push_back(receive.transfer->id);
  });
  for (const std::uint32_t id : sends)
    if (Send* send = engine.sends.find(id)) end(*send, transport::failure_of(peer));
  for (const std::uint32_t id : receives)
    if (Receive* receive = engine.receives.find(id)) end(*receive, transport::failure_of(peer));
}

}  // namespace

const RequestKind send_kind{.name = "send", .cancel = cancel_send, .release = release_send};
const RequestKind receive_kind{.name = "receive", .cancel = cancel_receive, .release = [](Request& request) {
                                 free_receive(static_cast<Receive&>(request));
                               }};
namespace {
const RequestKind sent_kind{.name = "send", .release = [](Request&) {}};
}
Request sent_request(sent_kind);
Peer** short_peers = nullptr;

void allow_short_path(bool allowed) { short_peers = allowed ? transport::up_local_peers : nullptr; }

const RequestKind send_on_stack_kind{.name = "send", .cancel = cancel_send, .release = release_comm};
const RequestKind receive_on_stack_kind{.name = "receive", .cancel = cancel_receive, .release = [](Request& request) {
                                          destroy_transfer(static_cast<Receive&>(request));
                                          release_comm(request);
                                        }};

Unexpected* make_unexpected(std::size_t bytes) {
  void* memory = malloc(sizeof(Unexpected) + bytes);
  return memory ? new (memory) Unexpected : nullptr;
}

void free_unexpected(Unexpected* message) {
  free(message->kept);
  message->~Unexpected();
  free(message);
}

void prepare(Send& send, const SendArgs& args) {
  send.args = args;
  send.size = static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size);
  send.comm = args.comm;
  retain(send);
  retain(*args.comm);
  retain(*args.type);
}

void end(Send& send, Error error) {
  if (send.registered) transport::port_of(*send.peer).release_memory(send.memory);
  if (send.id != Send::no_id) {
    engine.sends.erase(send.id);
    send.id = Send::no_id;
    if (send.place) transport::free_place(*send.peer, std::exchange(send.place, 0));
  }
  send.registered = false;
  release(*send.args.type);
  if (__builtin_expect(send.given_back, 0)) return end_given_back(send, error);
  finish(send, error);
}

namespace {

[[gnu::cold]] Error truncated(const Receive& receive) {
  return fail(
      ErrorClass::truncate,
      "message truncated: rank %d of %s sent %zu bytes with tag %d, the receive (source %d, tag %d) has room for "
      "%zu (count %lld of %s)",
      receive.status.MPI_SOURCE, describe(*receive.args.comm), receive.message_size, receive.status.MPI_TAG,
      receive.key.source, receive.key.tag, receive.room, static_cast<long long>(receive.args.count),
      describe(*receive.args.type));
}

void end_transfer(Receive& receive, Transfer& transfer) {
  if (transfer.registered) transport::port_of(*receive.peer).release_memory(transfer.memory);
  if (transfer.id != Send::no_id) engine.receives.erase(transfer.id);
  transfer.id = Send::no_id;
  transfer.registered = false;
}

}  // namespace

void end(Receive& receive, Error error) {
  if (!error && receive.message_size > receive.room) error = truncated(receive);
  if (receive.transfer) end_transfer(receive, *receive.transfer);
  release(*receive.args.type);
  if (receive.answering())
    mark_complete(receive, error);  // the answer to the sender still lies in this object; its end drops the reference
  else
    finish(receive, error);
}

void note_matched(Receive& receive, std::int32_t source, std::int32_t tag, std::size_t size) {
  receive.status.MPI_SOURCE = source;
  receive.status.MPI_TAG = tag;
  receive.message_size = size;
  set_bytes(receive.status, static_cast<MPI_Count>(size <= receive.room ? size : receive.room));
}

void open_eager();
void open_rendezvous();

void open_engine() {
  engine.self = static_cast<Process>(runtime::job().rank);
  engine.eager_limit = eager_limit_of_settings();
  engine.short_limit = std::min(engine.eager_limit, transport::local_eager_limit());
  sent_request.complete = true;
  table<Request>().insert_predefined(sent_request, sent_index);
  decide_protocols();
  open_eager();
  open_rendezvous();
  open_cancel();
  transport::end_what_waits_for = end_what_waits_for;
  stalled_source.poll = poll_stalled;
  progress::add(stalled_source);
}

void close_engine() {
  allow_short_path(false);
  progress::remove(stalled_source);
  table<Request>().erase(sent_request);
}

}  // namespace cow::pt2pt
