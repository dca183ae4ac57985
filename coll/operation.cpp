#include "coll/operation.hpp"

#include "coll/comm_coll.hpp"
#include "coll/forms.hpp"
#include "coll/inter.hpp"
#include "coll/run.hpp"

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

// Does it on shared memory if all ranks of the communicator can; the answer is the same everywhere, since it goes by what
// they all know and have in common.
Error try_memory(Operation& operation, bool& done) {
  Comm& comm = *operation.comm;
  CommColl* coll;
  if (Error error = comm_coll_of(comm, coll)) return error;
  if (!coll->on_memory || !NodeArea::suits(operation, coll->limits)) return success;
  if (!coll->area) {
    if (++coll->suitable < CommColl::suitable_before) return success;
    if (Error error = NodeArea::make(comm, coll->selector.reproducible(), coll->selector.processors(), coll->area)) return error;
    coll->on_memory = coll->area != nullptr;
    if (!coll->area) return success;
  }
  return coll->area->run(operation, done);
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
  const Running running(comm, operation);
  Run run(comm, next_tag(comm), operation.unit, selector->layout(), selector->nodes());
  perform(run, operation, [algorithm](Run& v, const Args& args) { run_algorithm(algorithm, v, args); });
  return run.result();
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
