#include "coll/core/call.hpp"
#include "coll/execute/execute.hpp"

#include <algorithm>

#include "coll/algorithms/intercomm/direct.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/forms.hpp"
#include "coll/execute/run.hpp"
#include "coll/select/machine_file.hpp"

namespace cow::coll {
namespace {

constexpr std::size_t most_kept = 8;        // lists
constexpr std::size_t longest_kept = 4096;  // elements of one
std::vector<std::unique_ptr<Lists>>& kept_lists() {
  static auto* const kept = new std::vector<std::unique_ptr<Lists>>;  // for calls of any time
  return *kept;
}

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

Error run_with(Operation& operation, const Selector& selector, std::size_t algorithm, int tag, NodeArea* area) {
  Comm& comm = *operation.comm;
  const Running running(comm, operation);
  Run run(comm, tag, operation.unit, selector.layout(), selector.nodes(), area);
  perform(run, operation, [algorithm](Run& v, const Args& args) { run_algorithm(algorithm, v, args); });
  return run.result();
}

// Of several nodes: with parts on the memory of each, if all can and an algorithm that has such parts is the best one then.
Error try_parts(Operation& operation, CommColl& coll, bool& done) {
  Comm& comm = *operation.comm;
  Selector& selector = coll.selector;
  const Nodes& nodes = *selector.nodes();
  Count longest;
  if (!NodeArea::parts_suit(operation, nodes, longest)) return success;
  keep_order(operation, selector);
  const std::size_t algorithm = selector.choose(operation.collective, operation.measure, operation.unit.commutative, true);
  if (!algorithms()[algorithm].parts_on_memory) return success;
  if (!coll.area) {
    if (++coll.suitable < CommColl::suitable_before) return success;
    Model here;
    here.processors = selector.processors();
    add_processors(here);
    if (Error error = NodeArea::make(comm, nodes, selector.reproducible(), here.processors, coll.area)) return error;
    coll.parts_on_memory = coll.area != nullptr;
    if (!coll.area) return success;
  }
  if (Error error = coll.area->have_room(static_cast<std::size_t>(longest), done)) return error;
  if (!done) return success;
  const int tag = next_tag(comm);
  coll.area->begin_parts(operation.collective, tag, longest);
  return run_with(operation, selector, algorithm, tag, coll.area.get());
}

// Does it on shared memory if all ranks of the communicator can; the answer is the same everywhere, since it goes by what
// they all know and have in common.
Error try_memory(Operation& operation, bool& done) {
  Comm& comm = *operation.comm;
  CommColl* coll;
  if (Error error = comm_coll_of(comm, coll)) return error;
  if (!coll->on_memory) return coll->parts_on_memory ? try_parts(operation, *coll, done) : success;
  if (!NodeArea::suits(operation, coll->limits)) return success;
  if (!coll->area) {
    if (++coll->suitable < CommColl::suitable_before) return success;
    if (Error error = NodeArea::make(comm, *coll->selector.nodes(), coll->selector.reproducible(), coll->selector.processors(),
                                     coll->area))
      return error;
    coll->on_memory = coll->area != nullptr;
    if (!coll->area) return success;
  }
  return coll->area->run(operation, done);
}

}  // namespace

void Lists::clear() {
  for (auto* list : {&in, &out}) list->clear();
  for (auto* list : {&counts, &displs, &send_counts, &send_displs}) list->clear();
  for (auto* list : {&types, &send_types}) list->clear();
}

Lists* take_lists() {
  std::vector<std::unique_ptr<Lists>>& kept = kept_lists();
  if (kept.empty()) return new Lists;
  Lists* const lists = kept.back().release();
  kept.pop_back();
  return lists;
}

void GiveBack::operator()(Lists* lists) const {
  std::unique_ptr<Lists> owned(lists);
  const std::size_t longest = std::max({lists->in.capacity(), lists->out.capacity(), lists->counts.capacity(),
                                        lists->send_counts.capacity()});
  if (kept_lists().size() >= most_kept || longest > longest_kept) return;
  lists->clear();
  kept_lists().push_back(std::move(owned));
}

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
