#include "objects/comm.hpp"

#include <iterator>

#include "objects/completion_fd.hpp"
#include "objects/errhandler.hpp"
#include "objects/info.hpp"

namespace cow {

BufferRelease default_buffer_release = BufferRelease::notify;

namespace {
constexpr const char* buffer_release_names[] = {"notify", "copy", "cow", "auto"};
}

const char* name_of(BufferRelease mode) { return buffer_release_names[static_cast<int>(mode)]; }

bool parse(const std::string& name, BufferRelease& out) {
  for (int i = 0; i < static_cast<int>(std::size(buffer_release_names)); ++i) {
    if (name != buffer_release_names[i]) continue;
    out = static_cast<BufferRelease>(i);
    return true;
  }
  return false;
}

void end_life(Comm& comm) {
  if (comm.predefined()) {  // static
    comm.references = 1;
    return;
  }
  COW_INVARIANT(comm.index == 0);  // handles hold references
  close_completion_fd(comm);
  delete comm.active;
  delete comm.coll;
  delete comm.buffer;
  delete comm.topology;
  if (comm.local_comm) release(*comm.local_comm);
  if (comm.info) release(*comm.info);
  if (comm.errhandler) release(*comm.errhandler);
  if (comm.remote_group) release(*comm.remote_group);
  if (comm.group) release(*comm.group);
  delete &comm;
}

Error free_handle(Comm& comm) {
  if (const Error error = comm.attributes.clear(comm.handle())) return error;
  table<Comm>().erase(comm);
  release(comm);
  return success;
}

void set_hints(Comm& comm, const Info& hints) {
  static constexpr const char* known[] = {"mpi_assert_no_any_tag",
                                          "mpi_assert_no_any_source",
                                          "mpi_assert_exact_length",
                                          "mpi_assert_allow_overtaking",
                                          "mpi_assert_strict_persistent_collective_ordering",
                                          "cow_layout",
                                          "cow_coll",
                                          "cow_reproducible",
                                          "cow_send_mode"};
  for (const char* key : known)
    if (const std::string* value = hints.get(key)) {
      if (!comm.info) comm.info = new Info;
      comm.info->set(key, *value);
    }
  if (const std::string* mode = hints.get("cow_send_mode")) (void)parse(*mode, comm.buffer_release);
  delete comm.coll;  // decided anew at the next collective
  comm.coll = nullptr;
}

}  // namespace cow
