// MPI_Comm_disconnect: MPI_Comm_free that waits for the communicator's communication, here and at all its ranks.
#include "api/bodies.hpp"
#include "objects/comm.hpp"
#include "objects/request.hpp"
#include "objects/session.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/send_mode.hpp"
#include "runtime/progress.hpp"
#include "transport/peer.hpp"

namespace cow {
namespace {

bool is_pending(const Request& request, const Comm& comm) {
  return request.comm == &comm && !request.done() && (!request.persistent || request.active);
}

// Requests that the program holds, and what goes on of those that it has freed.
bool has_pending(const Comm& comm) {
  bool found = false;
  const auto look = [&](const Request& request) { found = found || is_pending(request, comm); };
  table<Request>().each(look);
  pt2pt::engine.posted.each(look);
  pt2pt::engine.receives.each(look);
  pt2pt::engine.sends.each(look);
  return found;
}

void flush_buffers(Comm& comm) {
  if (comm.buffer) pt2pt::buffer_of(comm).flush();
  Session* const session = find_session(comm.group->session);
  if (session && session->buffer) pt2pt::buffer_of(*session).flush();
  pt2pt::process_buffer().flush();
}

}  // namespace

Error body::Comm_disconnect(MPI_Comm* comm) {
  if (*comm == MPI_COMM_WORLD || *comm == MPI_COMM_SELF)
    return fail(ErrorClass::comm, "%s cannot be disconnected",
                *comm == MPI_COMM_WORLD ? "MPI_COMM_WORLD" : "MPI_COMM_SELF");
  Comm& found = *find(*comm);
  flush_buffers(found);
  pt2pt::pay_debts();
  progress::wait_until([&] { return !has_pending(found) && transport::messages_have_left(); });
  if (Error error = body::Barrier(found)) return error;
  if (Error error = free_handle(found)) return error;
  *comm = MPI_COMM_NULL;
  return success;
}

}  // namespace cow
