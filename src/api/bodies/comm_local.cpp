// Communicators: what needs no message.
#include <cstring>
#include <optional>

#include "api/bodies.hpp"
#include "api/object_name.hpp"
#include "coll/select/find_layout.hpp"
#include "objects/comm.hpp"
#include "objects/info.hpp"
#include "objects/memory_kinds.hpp"
#include "objects/session.hpp"

namespace cow {

Error body::Comm_size(Comm& comm, int* size) {
  *size = comm.size();
  return success;
}

Error body::Comm_rank(Comm& comm, int* rank) {
  *rank = comm.rank;
  return success;
}

Error body::Comm_test_inter(Comm& comm, int* flag) {
  *flag = comm.inter();
  return success;
}

namespace {

Error require_inter(const Comm& comm) {
  if (comm.inter()) return success;
  return fail(ErrorClass::comm, "%s is not an intercommunicator", comm.name.empty() ? "it" : comm.name.c_str());
}

}  // namespace

Error body::Comm_remote_size(Comm& comm, int* size) {
  if (const Error error = require_inter(comm)) return error;
  *size = comm.remote_group->size();
  return success;
}

Error body::Comm_group(Comm& comm, MPI_Group* group) { return give_handle(comm.group, group); }

Error body::Comm_remote_group(Comm& comm, MPI_Group* group) {
  if (const Error error = require_inter(comm)) return error;
  return give_handle(comm.remote_group, group);
}

Error body::Comm_compare(Comm& comm1, Comm& comm2, int* result) {
  if (&comm1 == &comm2) {
    *result = MPI_IDENT;
    return success;
  }
  if (comm1.inter() != comm2.inter()) {
    *result = MPI_UNEQUAL;
    return success;
  }
  int likeness = compare(*comm1.group, *comm2.group);
  if (comm1.inter() && likeness != MPI_UNEQUAL) {
    const int remote = compare(*comm1.remote_group, *comm2.remote_group);
    likeness = remote == MPI_IDENT ? likeness : remote;
  }
  *result = likeness == MPI_IDENT ? int{MPI_CONGRUENT} : likeness;
  return success;
}

Error body::Comm_free(MPI_Comm* comm) {
  if (*comm == MPI_COMM_WORLD || *comm == MPI_COMM_SELF)
    return fail(ErrorClass::comm, "%s cannot be freed", *comm == MPI_COMM_WORLD ? "MPI_COMM_WORLD" : "MPI_COMM_SELF");
  if (const Error error = free_handle(*find(*comm))) return error;
  *comm = MPI_COMM_NULL;
  return success;
}

Error body::Comm_get_name(Comm* comm, char* comm_name, int* resultlen) {
  return api::give_name(comm ? comm->name.c_str() : "MPI_COMM_NULL", comm_name, resultlen);
}

Error body::Comm_set_name(Comm& comm, const char* comm_name) {
  comm.name.assign(comm_name, strnlen(comm_name, MPI_MAX_OBJECT_NAME - 1));
  return success;
}

Error body::Comm_get_info(Comm& comm, MPI_Info* info_used) {
  InfoEntries info;
  if (comm.info) info = *comm.info;
  // The layout in use, wherever it comes from. One that cannot be used is an error of collectives, not of this call.
  std::optional<Layout> layout;
  if (!coll::find_layout(comm, layout) && layout) info.set("cow_layout", layout->name());
  info.set("cow_send_mode", name_of(comm.buffer_release));
  const Session* const session = find_session(comm.group->session);
  info.set("mpi_memory_alloc_kinds", session ? session->memory_kinds : offered_memory_kinds());
  return give_info(std::move(info), info_used);
}

Error body::Comm_set_info(Comm& comm, Info* info) {
  if (info) set_hints(comm, *info);
  return success;
}

// Nothing spawns processes yet.
Error body::Comm_get_parent(MPI_Comm* parent) {
  *parent = MPI_COMM_NULL;
  return success;
}

}  // namespace cow
