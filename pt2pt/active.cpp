#include "pt2pt/active.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>

#include "base/at_end.hpp"
#include "base/settings.hpp"
#include "pt2pt/active_fast_path.hpp"
#include "pt2pt/engine.hpp"
#include "runtime/progress.hpp"
#include "runtime/thread_pool.hpp"

namespace cow::pt2pt {

ActiveCounters active_counters;

namespace {

// By context; with a memory of one.
std::unordered_map<std::uint64_t, Handlers*>& all_handlers() {
  static auto& map = *new std::unordered_map<std::uint64_t, Handlers*>;
  return map;
}

}  // namespace

Handlers* last_handlers = nullptr;

Handlers::~Handlers() {
  all_handlers().erase(context);
  if (last_handlers == this) last_handlers = nullptr;
}

Handlers* find_handlers(std::uint64_t context) {
  if (last_handlers && last_handlers->context == context) return last_handlers;
  const auto found = all_handlers().find(context);
  if (found == all_handlers().end()) return nullptr;
  return last_handlers = found->second;
}

void drop(Credit* credit) {
  if (--credit->holders > 0) return;
  if (credit->peer) transport::buffer_release(*credit->peer, credit->cost);
  delete credit;
}

namespace {

void copy_bytes(void* to, const void* from, std::size_t size) {
  if (size > 0) memcpy(to, from, size);  // the pointers may be null otherwise
}

std::uint64_t payload_context(const Comm& comm) { return comm.context | std::uint64_t{1} << 62; }

// A message kept for a thread, for later, or until its payload has come. The bytes stand behind it.
struct Kept : runtime::Task, progress::Deferred {
  Handlers* handlers;
  Comm* comm;  // referenced
  HandlerEntry entry;
  int source;
  int handler;
  int header_size;
  std::size_t size;     // of the payload
  std::size_t all = 0;  // bytes behind this
  Credit* credit;
  Peer* peer = nullptr;   // whose `held` counts it
  std::uint32_t tag = 0;  // of the message that brings the payload
  Request* arriving = nullptr;
  struct End : Continuation {
    Kept* kept;
  } end;
  Kept* next_waiting = nullptr;

  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

std::size_t waiting_bytes = 0;

Kept* make_kept(std::size_t header_size, std::size_t size) {
  void* memory = malloc(sizeof(Kept) + header_size + size);
  COW_INVARIANT(memory != nullptr);  // bounded by credits and COW_ACTIVE_LIMIT: the machine's memory is at its end
  auto* kept = new (memory) Kept;
  kept->header_size = static_cast<int>(header_size);
  kept->size = size;
  kept->all = header_size + size;
  return kept;
}

void free_kept(Kept* kept) {
  kept->~Kept();
  free(kept);
}

void call(Kept& kept) {
  Message message;
  message.comm = kept.handlers->handle;
  message.source = kept.source;
  message.handler = kept.handler;
  message.header_size = kept.header_size;
  message.header = kept.bytes();
  message.payload = kept.bytes() + kept.header_size;
  message.size = static_cast<MPI_Count>(kept.size);
  message.handlers = kept.handlers;
  message.credit = kept.credit;
  kept.entry.handler(&message, kept.entry.state);
}

// Under the lock.
void end_kept(Kept* kept) {
  ++active_counters.handled;
  if (kept->peer) kept->peer->held -= kept->credit->cost;
  drop(kept->credit);
  release(*kept->comm);
  free_kept(kept);
}

void run_in_thread(runtime::Task& task) {
  auto* const kept = &static_cast<Kept&>(task);
  const AtEnd ending([=] {
    const runtime::Guard guard;
    waiting_bytes -= kept->all;
    ++active_counters.in_threads;
    end_kept(kept);
  });
  call(*kept);
}

// Later, in progress, but as any callback: without the lock.
void run_deferred(progress::Deferred& deferred) {
  auto* const kept = &static_cast<Kept&>(deferred);
  const AtEnd ending([=] {
    const runtime::Guard guard;
    end_kept(kept);
  });
  call(*kept);
}

// Whole and ready to be handled, by whom its form says.
void hand_over(Kept* kept) {
  if (kept->entry.form == Form::in_progress) {
    kept->Deferred::run = run_deferred;
    return progress::defer(*kept);
  }
  waiting_bytes += kept->all;
  active_counters.most_waiting = std::max(active_counters.most_waiting, waiting_bytes);
  kept->Task::run = run_in_thread;
  if (kept->entry.form == Form::in_pool) return runtime::run_in_pool(*kept);
  runtime::run_in_own_thread(*kept);
}

Kept* keep(Handlers& handlers, int source, int handler, const void* header, int header_size, std::size_t size,
           Peer* peer, std::uint16_t cost) {
  Kept* kept = make_kept(static_cast<std::size_t>(header_size), size);
  kept->handlers = &handlers;
  kept->comm = handlers.comm;
  retain(*kept->comm);
  kept->entry = handlers.entries[static_cast<std::size_t>(handler)];
  kept->source = source;
  kept->handler = handler;
  kept->credit = new Credit{peer, cost};
  kept->peer = peer;
  if (peer) peer->held += cost;
  copy_bytes(kept->bytes(), header, static_cast<std::size_t>(header_size));
  return kept;
}

// In progress, from where the bytes have arrived.
void active_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  take_active(peer, find_handlers(head.context), head, body, size);
}

}  // namespace

void keep_active(Peer& peer, Handlers& handlers, const wire::Header& head, const std::byte* body, std::size_t size) {
  const int header_size = head.tag & 255;
  const std::size_t payload = size - static_cast<std::size_t>(header_size);
  Kept* kept = keep(handlers, head.source, head.tag >> 8, body, header_size, payload, &peer, transport::cost_of(size));
  copy_bytes(kept->bytes() + header_size, body + header_size, payload);
  hand_over(kept);
}

namespace {

// ---- large payloads

Queue<Kept, &Kept::next_waiting> for_room;
std::size_t arriving_bytes = 0;

bool room_for(std::size_t size) {
  return arriving_bytes == 0 || arriving_bytes + size <= static_cast<std::size_t>(settings().active_limit);
}

void pull(Kept* kept) {
  arriving_bytes += kept->size;
  RecvArgs args{};
  args.buffer = kept->bytes() + kept->header_size;
  args.count = static_cast<MPI_Count>(kept->size);
  args.type = find(MPI_BYTE);
  args.rank = kept->source;
  args.tag = static_cast<int>(kept->tag);
  args.comm = kept->handlers->comm;
  args.context = payload_context(*args.comm);
  COW_INVARIANT(!irecv(args, kept->arriving));
  kept->end.kept = kept;
  kept->end.run = [](Continuation& self, Request& request) {
    Kept* const each = static_cast<Kept::End&>(self).kept;
    const bool whole = request.status.MPI_ERROR == MPI_SUCCESS;
    arriving_bytes -= each->size;
    release(request);
    whole ? hand_over(each) : end_kept(each);
    while (!for_room.empty() && room_for(for_room.front()->size)) pull(&for_room.pop());
  };
  when_complete(*kept->arriving, kept->end);
}

void large_arrived(Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  const std::uint16_t cost = transport::cost_of(size);
  Handlers* const handlers = find_handlers(head.context);
  wire::ActiveLarge large;
  if (size < sizeof large || !fits(handlers, head, size - sizeof large)) {
    transport::drop(&peer, head, size < sizeof large ? transport::Drop::body_size : transport::Drop::no_handler);
    return transport::buffer_release(peer, cost);
  }
  memcpy(&large, body, sizeof large);
  Kept* kept =
      keep(*handlers, head.source, head.tag >> 8, body + sizeof large, head.tag & 255, large.size, &peer, cost);
  kept->tag = large.tag;
  if (room_for(kept->size))
    pull(kept);
  else
    for_room.push(*kept);
}

// ---- sending

std::size_t unsent = 0;  // messages of handlers that have not left

// A message that waits at the sender, with a copy of its bytes.
struct Queued : Outgoing {
  std::unique_ptr<std::byte[]> bytes;
  Credit* credit = nullptr;  // held until it has left
};

void free_queued(Outgoing& out) {
  auto& queued = static_cast<Queued&>(out);
  if (queued.credit) drop(queued.credit);
  --unsent;
  delete &queued;
}

struct Parts {
  const ActiveArgs* args;
  const void* first;  // before the header: ActiveLarge, or nothing
  std::size_t first_size;
  std::size_t payload;  // bytes of it that travel in this message

  std::size_t size() const { return first_size + static_cast<std::size_t>(args->header_size) + payload; }
};

void write_parts(void* state, void* out) {
  const auto& parts = *static_cast<Parts*>(state);
  auto* to = static_cast<std::byte*>(out);
  copy_bytes(to, parts.first, parts.first_size);
  copy_bytes(to + parts.first_size, parts.args->header, static_cast<std::size_t>(parts.args->header_size));
  copy_bytes(to + parts.first_size + parts.args->header_size, parts.args->payload, parts.payload);
}

void address(Outgoing& out, const ActiveArgs& args, wire::Kind kind, std::size_t size) {
  out.head.kind = kind;
  out.head.context = args.comm->context;
  out.head.source = args.comm->rank;
  out.head.tag = tag_of(args.handler, args.header_size);
  out.cost = transport::cost_of(size);
}

// Posts from the caller's buffers and waits until they are free.
Error post_and_wait(Peer& peer, Parts parts, wire::Kind kind) {
  struct Waiting : Outgoing {
    bool over = false;
    Error error;
  } out;
  address(out, *parts.args, kind, parts.size());
  out.body = {.size = parts.size(), .produce = write_parts, .state = &parts};
  out.posted = [](Outgoing& posted, Error error) {
    auto& self = static_cast<Waiting&>(posted);
    self.over = true;
    self.error = error;
  };
  if (transport::post(peer, out) == transport::Post::done) return success;
  AtEnd giving_up([&] {  // nothing may refer to it when it is gone
    const progress::Settling settling;
    if (!transport::take_back(peer, out)) progress::wait_until([&] { return out.over; });
  });
  progress::wait_until([&] { return out.over; });
  giving_up.forget();
  return out.error ? transport::failure_of(peer) : success;
}

// Posts a copy, for a handler, which must not wait.
Error post_copy(Peer& peer, Parts parts, wire::Kind kind, Credit* credit) {
  auto* const out = new Queued;
  address(*out, *parts.args, kind, parts.size());
  out->bytes.reset(new (std::nothrow) std::byte[parts.size() + 1]);
  if (!out->bytes) {
    delete out;
    return fail(ErrorClass::no_mem, "no memory for an active message of %zu bytes", parts.size());
  }
  write_parts(&parts, out->bytes.get());
  out->body = {.bytes = out->bytes.get(), .size = parts.size()};
  out->posted = [](Outgoing& posted, Error) { free_queued(posted); };
  out->credit = credit;
  if (credit) ++credit->holders;
  ++unsent;
  ++active_counters.replies_queued;
  if (transport::post(peer, *out) == transport::Post::done) free_queued(*out);
  return success;
}

bool in_handler() { return progress::is_polling(); }

// Begins the message that brings the payload. A copy is made when the caller cannot wait.
Error send_payload(const ActiveArgs& args, std::uint32_t tag, bool wait_for_it) {
  SendArgs send{args.payload, static_cast<MPI_Count>(args.size), find(MPI_BYTE), args.rank, static_cast<int>(tag),
                args.comm,    payload_context(*args.comm)};
  if (wait_for_it) return pt2pt::send(send);
  struct Copy : Continuation {
    std::unique_ptr<std::byte[]> bytes;
  };
  auto copy = std::make_unique<Copy>();
  copy->bytes.reset(new (std::nothrow) std::byte[args.size]);
  if (!copy->bytes) return fail(ErrorClass::no_mem, "no memory for an active message of %zu bytes", args.size);
  copy_bytes(copy->bytes.get(), args.payload, args.size);
  send.buffer = copy->bytes.get();
  Request* request;
  if (Error error = isend(send, request)) return error;
  ++unsent;
  copy->run = [](Continuation& self, Request& ended) {
    --unsent;
    release(ended);
    delete static_cast<Copy*>(&self);
  };
  when_complete(*request, *copy.release());
  return success;
}

// To this process: handled soon, in progress, never within the call.
Error send_to_self(const ActiveArgs& args) {
  auto& handlers = *static_cast<Handlers*>(args.comm->active);
  Kept* kept = keep(handlers, args.comm->rank, args.handler, args.header, args.header_size, args.size, nullptr, 0);
  copy_bytes(kept->bytes() + args.header_size, args.payload, args.size);
  hand_over(kept);
  return success;
}

Error send_elsewhere(const ActiveArgs& args, Process process, bool wait_for_it, Credit* credit) {
  Peer& peer = transport::peer_of(process);
  const std::size_t whole = static_cast<std::size_t>(args.header_size) + args.size;
  if (goes_at_once(whole, process)) {
    Parts parts{&args, nullptr, 0, args.size};
    return wait_for_it ? post_and_wait(peer, parts, wire::Kind::active)
                       : post_copy(peer, parts, wire::Kind::active, credit);
  }
  static std::uint32_t tags = 0;
  const wire::ActiveLarge large{.size = args.size, .tag = ++tags & 0x7fffffff};
  Parts parts{&args, &large, sizeof large, 0};
  if (Error error = wait_for_it ? post_and_wait(peer, parts, wire::Kind::active_large)
                                : post_copy(peer, parts, wire::Kind::active_large, credit))
    return error;
  return send_payload(args, large.tag, wait_for_it);
}

Error send_or_queue(const ActiveArgs& args, bool wait_for_it, Credit* credit) {
  const Process process = args.comm->peers().process(args.rank);
  if (Peer* const peer = transport::up_local_peers ? transport::up_local_peers[process] : nullptr) {
    const Content content{args.header, args.header_size, args.payload, static_cast<MPI_Count>(args.size)};
    if (transport::shm::Link* const link =
            content.is_plain() ? put_active(*peer, *args.comm, args.handler, content) : nullptr) {
      link->notify();
      return success;
    }
  }
  if (process == engine.self) return send_to_self(args);
  return send_elsewhere(args, process, wait_for_it, credit);
}

}  // namespace

int add_handler(Comm& comm, Handler handler, void* state, Form form) {
  if (!comm.active) {
    auto* const handlers = new Handlers(comm);
    comm.active = handlers;
    all_handlers()[comm.context] = handlers;
  }
  auto& handlers = *static_cast<Handlers*>(comm.active);
  handlers.entries.push_back({handler, state, form});
  return static_cast<int>(handlers.count++);
}

int handler_count(const Comm& comm) {
  return comm.active ? static_cast<int>(static_cast<const Handlers*>(comm.active)->count) : 0;
}

Error send_active(const ActiveArgs& args) { return send_or_queue(args, !in_handler(), nullptr); }

Error reply_active(const MPIX_Am_message& to, ActiveArgs args) {
  const auto& message = static_cast<const Message&>(to);
  args.rank = message.source;
  if (Running* const running = message.running) {
    if (!running->credit) running->credit = new Credit{running->peer, running->cost};
    return send_or_queue(args, false, running->credit);
  }
  return send_or_queue(args, false, message.credit);
}

void open_active() {
  transport::set_handler(wire::Kind::active, active_arrived);
  transport::set_handler(wire::Kind::active_large, large_arrived);
}

void settle_active() {
  progress::wait_until([] { return unsent == 0 && arriving_bytes == 0; });
}

}  // namespace cow::pt2pt
