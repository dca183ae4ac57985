// The start and the end of the world model: MPI_Init to MPI_Finalize, and MPI_Abort.
#include <string>

#include "api/bodies.hpp"
#include "api/running.hpp"
#include "api/start.hpp"
#include "objects/comm.hpp"
#include "objects/errhandler.hpp"
#include "objects/info.hpp"
#include "runtime/job.hpp"
#include "runtime/lock.hpp"

namespace cow {
namespace {

constexpr std::uint64_t world_context = 2;  // contexts made later are larger: see new_context()
constexpr std::uint64_t self_context = 4;

Comm world, self;

void make_predefined_comm(Comm& comm, std::uint32_t index, std::uint64_t context, const char* name, Process first,
                          int size) {
  comm.context = context;
  comm.group = make_group(first, 1, size);
  comm.rank = comm.group->rank = static_cast<int>(this_process - first);
  comm.name = name;
  comm.buffer_release = default_buffer_release;
  replace(comm.errhandler, initial_errhandler());
  table<Comm>().insert_predefined(comm, index);
}

Error start(int required) {
  const runtime::AlwaysGuard guard;  // the progress thread may begin meanwhile
  if (api::world_was_started()) return fail(ErrorClass::other, "MPI has been initialized already");
  int level;
  if (Error error = api::begin_use(required, level)) return error;
  make_predefined_comm(world, 0x101, world_context, "MPI_COMM_WORLD", 0, runtime::job().size);
  make_predefined_comm(self, 0x102, self_context, "MPI_COMM_SELF", this_process, 1);
  info_env().set("maxprocs", std::to_string(runtime::job().size));  // some launchers had not told, or only of a part
  api::world_started(level);
  return success;
}

}  // namespace

Error body::Init(int*, char***) { return start(MPI_THREAD_SINGLE); }

Error body::Init_thread(int*, char***, int required, int* provided) {
  if (Error error = start(required)) return error;
  *provided = api::thread_level();
  return success;
}

Error body::Finalize() {
  // A session may go on, but the world is over.
  if (!api::world_is_running()) return fail(ErrorClass::other, "MPI_Init has not been called, or MPI_Finalize has");
  // The standard's first step of the end: the callbacks of attributes on MPI_COMM_SELF, which may still use MPI.
  if (Error error = self.attributes.clear(self.handle())) return error;
  if (Error error = api::end_world_use()) return error;
  table<Comm>().erase(world);
  table<Comm>().erase(self);
  api::world_ended();
  return success;
}

Error body::Abort(Comm&, int errorcode) {
  const std::string text = "MPI_Abort: error code " + std::to_string(errorcode);
  if (runtime::is_child())
    runtime::abort_job(errorcode,
                       "[child of rank " + std::to_string(runtime::job().rank) + "] " + text + "; the job goes on");
  // The launcher, where there is one, tells who aborted the job.
  runtime::abort_job(errorcode, runtime::job().launched ? "" : text);
}

}  // namespace cow
