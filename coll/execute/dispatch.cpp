#include <algorithm>

#include "coll/algorithms/intercomm/direct.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/execute.hpp"
#include "coll/execute/forms.hpp"
#include "coll/execute/run.hpp"
#include "coll/execute/shm/run.hpp"
#include "coll/select/machine_file.hpp"

namespace cow::coll {
namespace {

CollectiveTerms terms_of(const Operation& operation) {
  CollectiveTerms terms;
  switch (operation.collective) {
    case Collective::gatherv:
    case Collective::scatterv: terms.root = operation.args.root; break;
    case Collective::bcast:
    case Collective::reduce:
    case Collective::gather:
    case Collective::scatter: terms.root = operation.args.root; [[fallthrough]];
    case Collective::allreduce:
    case Collective::allgather:
    case Collective::alltoall:
    case Collective::scan:
    case Collective::exscan:
    case Collective::reduce_scatter_block:
    case Collective::reduce_scatter: terms.bytes = operation.measure; break;
    default: break;
  }
  return terms;
}

// While it lives, reports can tell what runs.
class Running {
 public:
  Running(Comm& comm, const Operation& operation) : comm_(comm), terms_(terms_of(operation)) { comm.running = &terms_; }
  ~Running() { comm_.running = nullptr; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Comm& comm_;
  CollectiveTerms terms_;
};

Error run_with(Operation& operation, const Selector& selector, std::size_t algorithm, int tag, shm::Parts* parts) {
  Comm& comm = *operation.comm;
  const Running running(comm, operation);
  Run run(comm, tag, operation.unit, selector.layout(), selector.nodes(), parts);
  perform(run, operation, [algorithm](Run& v, const Args& args) { run_algorithm(algorithm, v, args); });
  return run.result();
}

// ---- on the memory that ranks of a node share. All that is asked here has the same answer at every rank.

// The most that a rank publishes in one round, of a collective of so many bytes.
Count most_published(const Operation& o, Count bytes) {
  const bool for_all = o.collective == Collective::scatter || o.collective == Collective::alltoall;
  return for_all ? bytes * o.comm->size() : bytes;
}

// Makes the memory when it has been asked for often enough, or a user has named a way on it; null while there is none.
Error have_area(const Operation& operation, CommColl& coll, double processors, shm::Area*& out) {
  out = nullptr;
  const Algorithm* const named = coll.selector.forced().by_collective[static_cast<std::size_t>(operation.collective)];
  if (++coll.suitable < CommColl::suitable_before && !(named && named->on_memory)) return success;
  const Selector& selector = coll.selector;
  if (Error error = shm::Area::make(*operation.comm, *selector.nodes(), selector.reproducible(), processors, coll.area))
    return error;
  if (!coll.area) coll.memory = Memory::none;
  out = coll.area.get();
  return success;
}

// Of several nodes: with parts on the memory of each, if all can and an algorithm that has such parts is the best one then.
Error try_parts(Operation& operation, CommColl& coll, bool& done) {
  Comm& comm = *operation.comm;
  Selector& selector = coll.selector;
  const Nodes& nodes = *selector.nodes();
  Count longest = measure_in_memory(operation);
  if (operation.collective == Collective::allgather) longest *= comm.size();
  if (operation.collective == Collective::scatter) longest *= nodes.largest();
  Memory memory = shm::memory_for(nodes.largest());
  if (!shm::parts_fit(memory, longest)) return success;
  keep_order(operation, selector);
  const std::size_t algorithm =
      selector.choose(operation.collective, operation.measure, operation.unit.commutative, Memory::parts);
  if (!algorithms()[algorithm].parts_on_memory) return success;
  Model here;
  here.processors = selector.processors();
  add_processors(here);
  shm::Area* area = coll.area.get();
  if (!area)
    if (Error error = have_area(operation, coll, here.processors, area); error || !area) return error;
  if (shm::Slots::is_large(static_cast<std::size_t>(longest)))
    if (Error error = area->make_rings(memory); error || !shm::parts_fit(memory, longest)) return error;
  done = true;
  area->begin(next_tag(comm));
  shm::Parts parts(*area, operation.collective, operation.unit, longest);
  return run_with(operation, selector, algorithm, area->tag(), &parts);
}

// Does it on shared memory where that is best, and all ranks of the communicator can.
Error try_memory(Operation& operation, bool& done) {
  CommColl* coll;
  if (Error error = comm_coll_of(*operation.comm, coll)) return error;
  if (coll->memory == Memory::none || !can_use_memory(operation)) return success;
  if (coll->memory == Memory::parts) return try_parts(operation, *coll, done);
  Selector& selector = coll->selector;
  const Count bytes = measure_in_memory(operation);
  std::size_t way = selector.choose(operation.collective, bytes, operation.unit.commutative, coll->memory);
  if (way < first_way_on_memory) return success;
  shm::Area* area = coll->area.get();
  if (!area)
    if (Error error = have_area(operation, *coll, selector.processors(), area); error || !area) return error;
  if (!area->has_large_rings() && shm::Slots::is_large(static_cast<std::size_t>(most_published(operation, bytes)))) {
    if (Error error = area->make_rings(coll->memory)) return error;
    way = selector.choose(operation.collective, bytes, operation.unit.commutative, coll->memory);
    if (way < first_way_on_memory) return success;
  }
  done = true;
  area->begin(next_tag(*operation.comm));
  return shm::run_way(way, *area, operation);
}

}  // namespace

Error run_blocking(Operation& operation) {
  bool done = false;
  if (!operation.comm->inter())
    if (Error error = try_memory(operation, done)) return error;
  return done ? success : run_by_messages(operation);
}

Error run_by_messages(Operation& operation) {
  Comm& comm = *operation.comm;
  if (comm.inter()) {
    Run run(comm, next_tag(comm), operation.unit, nullptr, nullptr);
    perform(run, operation, [&](Run& v, const Args& args) { Across(v, args).run(operation.collective); });
    return run.result();
  }
  Selector* selector;
  if (Error error = selector_of(comm, selector)) return error;
  keep_order(operation, *selector);
  const std::size_t algorithm = selector->choose(operation.collective, operation.measure, operation.unit.commutative);
  return run_with(operation, *selector, algorithm, next_tag(comm), nullptr);
}

Error hand_out(Request& request, MPI_Request* out) {
  if (Error error = table<Request>().insert(request)) {
    release(request);
    return error;
  }
  *out = handle_of(request);
  return success;
}

}  // namespace cow::coll
