// Sessions: their life and their buffer.
#include "objects/session.hpp"

#include <string>

#include "api/bodies.hpp"
#include "api/running.hpp"
#include "api/start.hpp"
#include "objects/comm.hpp"
#include "objects/errhandler.hpp"
#include "objects/info.hpp"
#include "objects/memory_kinds.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/waiting.hpp"
#include "runtime/lock.hpp"

namespace cow {
namespace {

struct LevelName {
  const char* name;
  int level;
};
constexpr LevelName level_names[] = {{"MPI_THREAD_SINGLE", MPI_THREAD_SINGLE},
                                     {"MPI_THREAD_FUNNELED", MPI_THREAD_FUNNELED},
                                     {"MPI_THREAD_SERIALIZED", MPI_THREAD_SERIALIZED},
                                     {"MPI_THREAD_MULTIPLE", MPI_THREAD_MULTIPLE}};

// The standard's default is MPI_THREAD_SINGLE.
Error wanted_level(const Info* info, int& level) {
  const std::string* const text = info ? info->get("thread_level") : nullptr;
  level = MPI_THREAD_SINGLE;
  if (!text) return success;
  for (const LevelName& row : level_names)
    if (*text == row.name) return level = row.level, success;
  return fail(ErrorClass::info_value,
              "info key thread_level is \"%s\": expected MPI_THREAD_SINGLE, _FUNNELED, "
              "_SERIALIZED or _MULTIPLE",
              text->c_str());
}

}  // namespace

Error body::Session_init(Info* info, Errhandler& errhandler, MPI_Session* out) {
  if (errhandler.kind != HandlerKind::any && errhandler.kind != HandlerKind::session)
    return fail(ErrorClass::errhandler, "the error handler was not created for sessions");
  int wanted;
  if (Error error = wanted_level(info, wanted)) return error;
  int provided;
  const runtime::AlwaysGuard guard;  // the progress thread may begin meanwhile
  if (Error error = api::begin_use(wanted, provided)) return error;
  auto* session = new Session;
  if (Error error = table<Session>().insert(*session)) {
    delete session;
    api::end_use().ignore();
    return error;
  }
  replace(session->errhandler, errhandler);
  session->thread_level = provided;
  // What the program says itself goes before what mpirun was told.
  const std::string* const kinds = info ? info->get("mpi_memory_alloc_kinds") : nullptr;
  session->memory_kinds = kinds ? offered_memory_kinds(*kinds) : offered_memory_kinds();
  api::session_started(provided);
  *out = handle_of(*session);
  return success;
}

Error body::Session_finalize(MPI_Session* handle) {
  Session& session = *find(*handle);
  delete session.buffer;  // waits until its messages have left
  session.buffer = nullptr;
  if (Error error = api::end_use()) return error;
  table<Session>().erase(session);
  release(*session.errhandler);
  delete &session;
  api::session_ended();
  *handle = MPI_SESSION_NULL;
  return success;
}

Error body::Session_get_info(Session& session, MPI_Info* info_used) {
  InfoEntries info;
  for (const LevelName& row : level_names)
    if (row.level == session.thread_level) info.set("thread_level", row.name);
  info.set("mpi_memory_alloc_kinds", session.memory_kinds);
  return give_info(std::move(info), info_used);
}

Error body::Session_attach_buffer(Session& session, void* buffer, MPI_Count size) {
  return pt2pt::buffer_of(session).attach(buffer, size);
}

Error body::Session_detach_buffer(Session& session, void* buffer_addr, MPI_Count* size) {
  return pt2pt::buffer_of(session).detach(static_cast<void**>(buffer_addr), size);
}

Error body::Session_flush_buffer(Session& session) {
  pt2pt::buffer_of(session).flush();
  return success;
}

Error body::Session_iflush_buffer(Session& session, MPI_Request* request) {
  return pt2pt::give_handle(*pt2pt::buffer_of(session).begin_flush(), request);
}

}  // namespace cow
