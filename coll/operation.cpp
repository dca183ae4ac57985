#include "coll/operation.hpp"

#include "coll/comm_coll.hpp"
#include "coll/forms.hpp"
#include "coll/inter.hpp"
#include "coll/run.hpp"

namespace cow::coll {

Error run_blocking(Operation& operation) {
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
