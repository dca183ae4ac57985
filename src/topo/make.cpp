#include "topo/make.hpp"

#include "coll/comms/new_comm.hpp"

namespace cow::topo {
namespace {

// What rank 0 tells everybody.
struct Word {
  std::uint64_t context;
  int fact;
};

Group* group_of(const Comm& old, std::span<const int> members) {
  const int n = static_cast<int>(members.size());
  bool same = n == old.size();
  for (int k = 0; same && k < n; ++k) same = members[static_cast<std::size_t>(k)] == k;
  if (!same) return include(*old.group, members);
  retain(*old.group);
  return old.group;
}

}  // namespace

Error make_topology_comm(Comm& old, std::span<const int> members, Comm*& out, int& fact) {
  Word word{old.rank == 0 ? coll::new_context() : 0, fact};
  if (Error error = coll::bcast_bytes(old, &word, sizeof word, 0)) return error;
  fact = word.fact;
  out = nullptr;
  Group* const group = group_of(old, members);
  if (group->rank == MPI_UNDEFINED) {
    release(*group);
    return success;
  }
  return coll::make_comm(word.context, group, old, out);
}

void give(Comm* comm, MPI_Comm* out) { *out = comm ? static_cast<MPI_Comm>(handle_of(*comm)) : MPI_COMM_NULL; }

Error need_intra(const Comm& comm) {
  if (!comm.inter()) return success;
  return fail(ErrorClass::comm, "an intercommunicator can have no topology");
}

Error need_array(const void* array, int length, const char* name) {
  if (array || length == 0) return success;
  return fail(ErrorClass::arg, "%s is a null pointer: expected an array of %d", name, length);
}

}  // namespace cow::topo
