// Nonblocking and persistent collectives: requests that walk a recorded schedule. One progress source walks all that
// are active; it is there only while there are some.
#include <memory>
#include <new>
#include <string>

#include "coll/algorithms/intercomm/direct.hpp"
#include "coll/core/call.hpp"
#include "coll/core/schedule.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/execute.hpp"
#include "coll/execute/run.hpp"
#include "objects/request.hpp"
#include "pt2pt/pt2pt.hpp"
#include "runtime/progress.hpp"

namespace cow::coll {
namespace {

extern const RequestKind schedule_kind;

// Scratch that lives as long as the request.
class OwnedScratch : public ScratchSource {
 public:
  Address room(Count bytes) override {
    blocks_.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(bytes) + 64));
    const auto block = reinterpret_cast<Address>(blocks_.back().get());
    return (block + 63) / 64 * 64;
  }

 private:
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

struct ScheduleRequest : Request {
  ScheduleRequest() : Request(schedule_kind) {}

  Schedule schedule;
  OwnedScratch scratch;
  Unit unit;
  int tag = 0;
  std::size_t next = 0;                 // entry to execute
  std::vector<Request*> posted;         // of the present step
  std::vector<Datatype*> types;         // referenced
  Error first = success;                // what went wrong first …
  std::string message;                  // … and what was said of it
  ScheduleRequest* previous = nullptr;  // in the list of active ones
  ScheduleRequest* following = nullptr;

  void note(Error error) {
    if (!error || first) return;
    first = error;
    message = last_failure();
  }
};

// The active ones, oldest first.
struct Active {
  progress::Source source;
  ScheduleRequest* head = nullptr;
  ScheduleRequest* tail = nullptr;
  bool walking = false;  // a user's operation or a message's arrival may call progress again
};
Active active;

void post_send(ScheduleRequest& r, const Entry& e) {
  Request* request = nullptr;
  r.note(pt2pt::isend({reinterpret_cast<const void*>(e.from), e.n, e.type ? e.type : r.unit.type, e.peer, r.tag, r.comm,
                       r.comm->context | 1},
                      request));
  if (request) r.posted.push_back(request);
}

void post_recv(ScheduleRequest& r, const Entry& e) {
  Request* request = nullptr;
  r.note(pt2pt::irecv(
      {reinterpret_cast<void*>(e.to), e.n, e.type ? e.type : r.unit.type, e.peer, r.tag, r.comm, r.comm->context | 1},
      request));
  if (request) r.posted.push_back(request);
}

// What the request ends with.
Error outcome(const ScheduleRequest& r) { return r.first ? fail(r.first.code(), "%s", r.message.c_str()) : success; }

// Takes leave of what has been delivered; true when nothing of the step is pending.
bool step_ended(ScheduleRequest& r) {
  while (!r.posted.empty() && r.posted.back()->done()) {
    r.note(pt2pt::wait(*r.posted.back()));
    r.posted.pop_back();
  }
  return r.posted.empty();
}

void execute(ScheduleRequest& r, const Entry& e) {
  Datatype& unit = *r.unit.type;
  switch (e.verb) {
    case Entry::Verb::send:
      return post_send(r, e);
    case Entry::Verb::recv:
      return post_recv(r, e);
    case Entry::Verb::copy:
      return transfer_data(e.to, e.n, unit, e.from, e.n, unit);
    case Entry::Verb::reduce:
      return r.note(
          reduce_local(*r.unit.op, unit, reinterpret_cast<const void*>(e.from), reinterpret_cast<void*>(e.to), e.n));
    case Entry::Verb::transfer: {
      const Entry& into = (&e)[1];
      return transfer_data(into.to, into.n, into.type ? *into.type : unit, e.from, e.n, e.type ? *e.type : unit);
    }
    default:
      return;
  }
}

// Walks up to a step that has to wait. Returns how many entries were done; `ended` when that was the last.
std::size_t walk(ScheduleRequest& r, bool& ended) {
  const std::size_t before = r.next;
  ended = false;
  while (r.next < r.schedule.size()) {
    const Entry& e = r.schedule[r.next];
    if (e.verb == Entry::Verb::step) {
      if (!step_ended(r)) return r.next - before;
    } else {
      execute(r, e);
    }
    ++r.next;
  }
  ended = true;
  return r.next - before + 1;
}

void unlink(ScheduleRequest& r) {
  (r.previous ? r.previous->following : active.head) = r.following;
  (r.following ? r.following->previous : active.tail) = r.previous;
  if (!active.head) progress::remove(active.source);
}

std::size_t poll(progress::Source&) {
  if (active.walking) return 0;
  active.walking = true;
  std::size_t moved = 0;
  for (ScheduleRequest* r = active.head; r;) {
    ScheduleRequest* const following = r->following;
    bool ended;
    moved += walk(*r, ended);
    if (ended) {
      unlink(*r);
      finish(*r, outcome(*r));
    }
    r = following;
  }
  active.walking = false;
  return moved;
}

// Begins walking; the engine's reference is taken already.
void begin_walking(ScheduleRequest& r) {
  r.next = 0;
  r.first = success;
  bool ended;
  walk(r, ended);
  if (ended) return finish(r, outcome(r));
  if (!active.head) {
    active.source.poll = poll;
    progress::add(active.source);
  }
  r.previous = active.tail;
  r.following = nullptr;
  (active.tail ? active.tail->following : active.head) = &r;
  active.tail = &r;
}

Error start(Request& request) {
  auto& r = static_cast<ScheduleRequest&>(request);
  r.complete.store(false, std::memory_order_relaxed);
  r.status = empty_status;
  retain(r);
  begin_walking(r);
  return success;
}

void release_request(Request& request) {
  auto& r = static_cast<ScheduleRequest&>(request);
  for (Datatype* type : r.types) release(*type);
  if (r.unit.op) release(*r.unit.op);
  if (r.comm) release(*r.comm);
  delete &r;
}

const RequestKind schedule_kind{.name = "collective", .start = start, .release = release_request};

void keep(ScheduleRequest& r, Datatype* type) {
  if (!type) return;
  retain(*type);
  r.types.push_back(type);
}

// Keeps alive what the schedule refers to, whatever the program frees before it ends.
void keep_objects(ScheduleRequest& r, const Operation& operation) {
  r.comm = operation.comm;
  retain(*r.comm);
  if (r.unit.op) retain(*r.unit.op);
  keep(r, r.unit.type);
  keep(r, operation.args.type);
  keep(r, operation.args.send_type);
  const Lists* const lists = operation.has_lists();
  if (!lists) return;
  for (Datatype* type : lists->types) keep(r, type);
  for (Datatype* type : lists->send_types) keep(r, type);
  for (const Piece& piece : lists->in) keep(r, piece.type);
  for (const Piece& piece : lists->out) keep(r, piece.type);
}

// Writes the algorithm of choice down for this rank.
Error record(Operation& operation, int tag, ScheduleRequest*& out) try {
  auto request = std::make_unique<ScheduleRequest>();
  request->unit = operation.unit;
  request->tag = tag;
  Comm& comm = *operation.comm;
  if (comm.inter()) {
    Recorder recorder(comm.rank, comm.size(), request->unit, nullptr, nullptr, request->scratch);
    perform(recorder, operation, [&](Recorder& v, const Args& args) { Across(v, args).run(operation.collective); });
    request->schedule = recorder.take();
  } else {
    Selector* selector;
    if (Error error = selector_of(comm, selector)) return error;
    keep_order(operation, *selector);
    request->unit = operation.unit;
    const std::size_t chosen = selector->choose(operation.collective, operation.measure, operation.unit.commutative);
    Recorder recorder(comm.rank, comm.size(), request->unit, selector->layout(), selector->nodes(), request->scratch);
    perform(recorder, operation, algorithms()[chosen].record);
    request->schedule = recorder.take();
  }
  keep_objects(*request, operation);
  out = request.release();
  return success;
} catch (const std::bad_alloc&) {
  return fail(ErrorClass::no_mem, "no memory for the schedule of a nonblocking collective");
}

}  // namespace

Error begin(Operation& operation, Request*& out) {
  ScheduleRequest* request;
  if (Error error = record(operation, next_tag(*operation.comm), request)) return error;
  retain(*request);  // the engine's
  begin_walking(*request);
  out = request;
  return success;
}

Error make_persistent(Operation& operation, Request*& out) {
  ScheduleRequest* request;
  if (Error error = record(operation, next_persistent_tag(*operation.comm), request)) return error;
  request->persistent = true;
  request->active = false;
  out = request;
  return success;
}

}  // namespace cow::coll
