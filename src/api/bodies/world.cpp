// The start and the end of the world model: MPI_Init to MPI_Finalize, and MPI_Abort.
#include <cinttypes>
#include <cstdio>

#include "api/bodies.hpp"
#include "api/start.hpp"
#include "base/settings.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"
#include "objects/errhandler.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/operation.hpp"
#include "runtime/job.hpp"
#include "runtime/lock.hpp"
#include "transport/peer.hpp"

extern char** environ;

namespace cow {
namespace {

constexpr std::uint64_t world_context = 2;  // contexts made later are larger: see new_context()
constexpr std::uint64_t self_context = 4;

Comm world, self;

void end_this_job(Comm*, int code, const char* text) {
  runtime::abort_job(code, "[rank " + std::to_string(runtime::job().rank) + "] " + text);
}

Error check_settings() {
  Settings ignored;
  const auto complaints = read_settings(environ, false, ignored);
  return complaints.empty() ? success : fail(ErrorClass::other, "%s", complaints.front().c_str());
}

// Only what differs from the level asked for is rounded, upwards.
int provided_level(int required) {
  for (int level : {MPI_THREAD_SINGLE, MPI_THREAD_FUNNELED, MPI_THREAD_SERIALIZED})
    if (required <= level) return level;
  return MPI_THREAD_MULTIPLE;
}

void make_predefined_comm(Comm& comm, std::uint32_t index, std::uint64_t context, const char* name, Process first,
                          int size) {
  comm.context = context;
  comm.group = make_group(first, 1, size);
  comm.rank = comm.group->rank = static_cast<int>(this_process - first);
  comm.name = name;
  replace(comm.errhandler, *initial_errhandler);
  table<Comm>().insert_predefined(comm, index);
}

void set_attributes(const runtime::Job& job) {
  predefined_attributes.appnum = {job.appnum, job.appnum >= 0};
  predefined_attributes.universe_size = {job.universe_size, job.universe_size >= 0};
  // The monotonic clocks of different nodes have nothing to do with each other.
  predefined_attributes.wtime_is_global = {job.local_size == job.size, true};
}

Error start(int required) {
  if (api::world_was_started()) return fail(ErrorClass::other, "MPI has been initialized already");
  if (Error error = check_settings()) return error;
  end_job = end_this_job;
  register_predefined();
  if (Error error = runtime::join_job()) return error;
  const runtime::Job& job = runtime::job();
  this_process = static_cast<Process>(job.rank);
  if (Error error = transport::open()) return error;
  pt2pt::open_engine();
  make_predefined_comm(world, 0x101, world_context, "MPI_COMM_WORLD", 0, job.size);
  make_predefined_comm(self, 0x102, self_context, "MPI_COMM_SELF", this_process, 1);
  set_attributes(job);
  const int level = provided_level(required);
  runtime::threads_multiple = level == MPI_THREAD_MULTIPLE;
  api::world_started(level);
  return success;
}

void print_counters() {
  const transport::Counters& counters = transport::counters;
  fprintf(stderr,
          "cow: rank %d: sent %" PRIu64 ", received %" PRIu64 ", out of order %" PRIu64 ", waited for credit %" PRIu64
          ", windows advanced %" PRIu64 ", strangers %" PRIu64 ", malformed %" PRIu64 ", bad handshakes %" PRIu64 ", addresses retried %" PRIu64 "\n",
          runtime::job().rank, counters.sent, counters.received, counters.out_of_order, counters.credit_waits, counters.advances,
          counters.strangers, counters.malformed, counters.bad_handshakes, counters.retried_addresses);
}

}  // namespace

Error body::Init(int*, char***) { return start(MPI_THREAD_SINGLE); }

Error body::Init_thread(int*, char***, int required, int* provided) {
  if (Error error = start(required)) return error;
  *provided = api::thread_level();
  return success;
}

Error body::Finalize() {
  // The standard's first step of the end: the callbacks of attributes on MPI_COMM_SELF, which may still use MPI.
  if (Error error = self.attributes.clear(self.handle())) return error;
  pt2pt::process_buffer().flush();
  transport::drain();
  if (Error error = runtime::leave_job()) return error;
  if (settings().counters) print_counters();
  pt2pt::close_engine();
  transport::close();
  runtime::end_pmix();
  runtime::threads_multiple = false;
  api::world_ended();
  return success;
}

Error body::Abort(Comm&, int errorcode) {
  // The launcher, where there is one, tells who aborted the job.
  runtime::abort_job(errorcode, runtime::job().launched ? "" : "MPI_Abort: error code " + std::to_string(errorcode));
}

}  // namespace cow
