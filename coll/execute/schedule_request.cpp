// Nonblocking and persistent collectives: requests that walk a recorded schedule. One progress source walks all that
// are active; it is there only while there are some. Nonblocking ones of ranks that share a node walk ways on its memory, in
// turn (execute/shm/sequence.hpp); persistent ones may be started in any order, and each have slots of their own.
#include <memory>
#include <new>
#include <string>

#include "base/at_end.hpp"
#include "coll/algorithms/intercomm/direct.hpp"
#include "coll/core/call.hpp"
#include "coll/core/schedule.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/execute.hpp"
#include "coll/execute/run.hpp"
#include "coll/prepare/prepare.hpp"
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
  std::size_t next = 0;          // entry to execute
  std::vector<Request*> posted;  // of the present step
  std::vector<Datatype*> types;  // referenced
  Collective collective = Collective::barrier;
  shm::Sequence* sequence = nullptr;  // of which it is a part, on memory; its turn there,
  unsigned turn = 0;
  Schedule instead;                     // and what is walked if there is no memory, where that is not known yet
  std::shared_ptr<shm::Sequence> own;   // keeps it; or the one that this request makes
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

// Others wait for what this rank brings, so it goes on when the program's function has thrown, to end with an error.
void combine(ScheduleRequest& r, const Entry& e) {
  bool returned = false;
  progress::call_program([&] {
    r.note(reduce_local(*r.unit.op, *r.unit.type, reinterpret_cast<const void*>(e.from), reinterpret_cast<void*>(e.to),
                        e.n));
    returned = true;
  });
  if (!returned) r.note(fail(ErrorClass::op, "the reduction operation has thrown an exception"));
}

void execute(ScheduleRequest& r, const Entry& e) {
  Datatype& unit = *r.unit.type;
  switch (e.verb) {
    case Entry::Verb::send: return post_send(r, e);
    case Entry::Verb::recv: return post_recv(r, e);
    case Entry::Verb::copy: return transfer_data(e.to, e.n, unit, e.from, e.n, unit);
    case Entry::Verb::reduce: return combine(r, e);
    case Entry::Verb::transfer: {
      const Entry& into = (&e)[1];
      return transfer_data(into.to, into.n, into.type ? *into.type : unit, e.from, e.n, e.type ? *e.type : unit);
    }
    case Entry::Verb::call: return r.own->call(e.n);
    default: return;
  }
}

// Whether a request on memory can be walked: it is its turn, or there is no memory after all.
bool has_turn(ScheduleRequest& r) {
  if (r.sequence->is_being_made()) return false;
  if (r.sequence->exists()) return r.sequence->is_up(r.turn);
  r.schedule = std::move(r.instead);
  r.sequence = nullptr;
  return true;
}

// Of a request whose turn on memory it is: false when it has to wait.
bool execute_on_memory(ScheduleRequest& r, const Entry& e) {
  using Outcome = shm::Sequence::Outcome;
  Error error = success;
  const Outcome outcome = r.sequence->execute(e, {r.collective, r.tag, r.unit}, error);
  r.note(error);
  if (outcome == Outcome::not_mine) execute(r, e);
  if (outcome == Outcome::over) r.next = r.schedule.size() - 1;  // as if this were the last entry
  return outcome != Outcome::waits;
}

// Walks up to a step that has to wait. Returns how many entries were done; `ended` when that was the last.
std::size_t walk(ScheduleRequest& r, bool& ended) {
  const std::size_t before = r.next;
  ended = false;
  if (r.sequence && !has_turn(r)) return 0;
  while (r.next < r.schedule.size()) {
    const Entry& e = r.schedule[r.next];
    if (e.verb == Entry::Verb::step) {
      if (!step_ended(r)) return r.next - before;
    } else if (r.sequence) {
      if (!execute_on_memory(r, e)) return r.next - before;
    } else {
      execute(r, e);
    }
    ++r.next;
  }
  if (r.sequence) r.sequence->leave();
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
  const Raised walking(active.walking);
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
  if (r.sequence) r.turn = r.sequence->join();
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

// By messages, and as a way on memory where it is a part of a sequence.
void record_by_choice(Operation& operation, CommColl& coll, std::size_t way, ScheduleRequest& r) {
  Comm& comm = *operation.comm;
  Selector& selector = coll.selector;
  keep_order(operation, selector);
  r.unit = operation.unit;
  if (!r.sequence || r.sequence->is_being_made()) {
    const std::size_t chosen = selector.choose(operation.collective, operation.measure, operation.unit.commutative);
    Recorder recorder(comm.rank, comm.size(), r.unit, selector.layout(), selector.nodes(), r.scratch);
    perform(recorder, operation, algorithms()[chosen].record);
    (r.sequence ? r.instead : r.schedule) = recorder.take();
  }
  if (!r.sequence) return;
  Recorder recorder(comm.rank, comm.size(), r.unit, nullptr, nullptr, r.scratch, &r.sequence->terms());
  perform(recorder, operation, algorithms()[way].record);
  r.schedule = recorder.take();
}

// Begins to make slots, which all ranks do at the same collective.
Error make_sequence(Comm& comm, const CommColl& coll, std::shared_ptr<shm::Sequence>& out) {
  const Selector& selector = coll.selector;
  out = std::make_shared<shm::Sequence>(comm, *selector.nodes(), selector.reproducible(), selector.processors());
  auto request = std::make_unique<ScheduleRequest>();
  int unused = 0;
  Operation least;
  if (Error error =
          prepare_sum(least, Collective::allreduce, comm, {&unused, 1, find(MPI_INT)}, &unused, find(MPI_MIN)))
    return error;
  request->unit = least.unit;
  request->tag = next_tag(comm);
  request->own = out;
  Recorder recorder(comm.rank, comm.size(), request->unit, nullptr, nullptr, request->scratch);
  out->record_making(recorder);
  request->schedule = recorder.take();
  keep_objects(*request, least);
  begin_walking(*request.release());  // nobody else has it
  return success;
}

// The sequence in which a nonblocking or persistent collective goes on memory, and the way; none: by messages. Of blocks of
// which only some ranks know how long they are nothing can be recorded.
Error choose_memory(const Operation& operation, CommColl& coll, bool persistent, ScheduleRequest& r, std::size_t& way) {
  const Collective which = operation.collective;
  if (coll.memory == Memory::none || coll.memory == Memory::parts || !can_use_memory(operation)) return success;
  if (operation.measure == 0 && which != Collective::barrier) return success;
  way = coll.selector.choose(which, measure_in_memory(operation), operation.unit.commutative, Memory::buffers);
  if (way < first_way_on_memory) return success;
  if (persistent) {
    if (coll.persistent_on_memory == CommColl::most_persistent_on_memory) return success;
    ++coll.persistent_on_memory;
    if (Error error = make_sequence(*operation.comm, coll, r.own)) return error;
    r.sequence = r.own.get();
    return success;
  }
  if (!coll.sequence) {
    const Algorithm* const named = coll.selector.forced().by_collective[static_cast<std::size_t>(which)];
    const bool soon = coll.suitable >= CommColl::suitable_before || (named && named->on_memory);
    if (++coll.suitable_nonblocking < CommColl::suitable_before && !soon) return success;
    if (Error error = make_sequence(*operation.comm, coll, coll.sequence)) return error;
  }
  if (!coll.sequence->is_being_made() && !coll.sequence->exists()) return success;
  r.own = coll.sequence;  // hints may give the communicator another one
  r.sequence = r.own.get();
  return success;
}

// Writes the algorithm of choice down for this rank.
Error record(Operation& operation, int tag, bool persistent, ScheduleRequest*& out) try {
  auto request = std::make_unique<ScheduleRequest>();
  request->unit = operation.unit;
  request->tag = tag;
  request->collective = operation.collective;
  Comm& comm = *operation.comm;
  if (comm.inter()) {
    Recorder recorder(comm.rank, comm.size(), request->unit, nullptr, nullptr, request->scratch);
    perform(recorder, operation, [&](Recorder& v, const Args& args) { Across(v, args).run(operation.collective); });
    request->schedule = recorder.take();
  } else {
    CommColl* coll;
    if (Error error = comm_coll_of(comm, coll)) return error;
    std::size_t way = 0;
    if (Error error = choose_memory(operation, *coll, persistent, *request, way)) return error;
    record_by_choice(operation, *coll, way, *request);
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
  if (Error error = record(operation, next_tag(*operation.comm), false, request)) return error;
  retain(*request);  // the engine's
  if (request->sequence) request->turn = request->sequence->join();
  begin_walking(*request);
  out = request;
  return success;
}

Error make_persistent(Operation& operation, Request*& out) {
  ScheduleRequest* request;
  if (Error error = record(operation, next_persistent_tag(*operation.comm), true, request)) return error;
  request->persistent = true;
  request->active = false;
  out = request;
  return success;
}

}  // namespace cow::coll
