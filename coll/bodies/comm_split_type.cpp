// MPI_Comm_split_type: by node, by a kind of hardware resource, by the coarsest kind that makes parts, or by process sets.
// Of an intercommunicator it makes intercommunicators, as MPI_Comm_split does: a part has ranks of both groups, or none.
#include <set>
#include <string>
#include <vector>

#include "api/bodies.hpp"
#include "coll/comms/intercomms.hpp"
#include "coll/comms/new_comm.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "objects/process_set.hpp"
#include "runtime/hardware.hpp"
#include "runtime/job.hpp"

namespace cow {

using namespace coll;

namespace {

constexpr char shared_memory[] = "mpi_shared_memory";
constexpr char resource_key[] = "mpi_hw_resource_type";

// The node's number is that of its launcher.
int node_color() { return static_cast<int>(runtime::job().node & INT32_MAX); }

// A kind of resource, with the number of the only one that this process may use, or -1.
struct Resource {
  std::string type;
  int instance;
};

// From the node down. The same list at all ranks of a node.
std::vector<Resource> resources() {
  std::vector<Resource> out{{shared_memory, node_color()}};
  for (const runtime::HardwareLevel& level : runtime::hardware_levels()) out.push_back({level.type, level.instance});
  return out;
}

int color_of(int instance) { return instance < 0 ? int{MPI_UNDEFINED} : instance; }

Error split_any(Comm& comm, int color, int key, Comm*& out) {
  return comm.inter() ? split_across(comm, color, key, out) : split(comm, color, key, out);
}

// Parts of one node, by the instance of a resource.
Error split_by_resource(Comm& comm, const Resource& resource, int key, Comm*& out) {
  if (resource.type == shared_memory) return split_any(comm, resource.instance, key, out);
  Comm* node;
  if (Error error = split_any(comm, node_color(), 0, node)) return error;
  out = nullptr;
  if (!node) return success;  // the other group has no rank here
  const Error error = split_any(*node, color_of(resource.instance), key, out);
  discard(*node);
  return error;
}

Error split_guided(Comm& comm, const std::string& type, int key, Comm*& out) {
  for (const Resource& resource : resources())
    if (resource.type == type) return split_by_resource(comm, resource, key, out);
  return split_any(comm, MPI_UNDEFINED, key, out);  // nothing that we know: all get the null communicator
}

// The coarsest resource that makes at least two parts. Ranks that are bound to none of it get no communicator.
Error split_unguided(Comm& comm, int key, Comm*& out) {
  constexpr std::size_t most = 12;
  const std::vector<Resource> own = resources();
  struct Levels {
    int instance[most];
  };
  Levels mine;
  for (std::size_t i = 0; i < most; ++i) mine.instance[i] = i < own.size() ? own[i].instance : -1;
  const auto ours = static_cast<std::size_t>(comm.size());
  std::vector<Levels> all(ours + static_cast<std::size_t>(comm.inter() ? comm.remote_group->size() : 0));
  const Error told = comm.inter() ? allgather_across(comm, &mine, all.data(), &all[ours], sizeof mine)
                                  : allgather_bytes(comm, &mine, all.data(), sizeof mine);
  if (told) return told;
  // All are of one node when the level of nodes does not part them, so that the lists below it agree.
  for (std::size_t i = 0; i < most; ++i) {
    std::set<int> instances;
    for (const Levels& levels : all)
      if (levels.instance[i] >= 0) instances.insert(levels.instance[i]);
    if (instances.size() > 1) return split_any(comm, color_of(mine.instance[i]), key, out);
  }
  out = nullptr;
  return success;
}

// Ranks that name the same members are together; the first member's number tells which set it is.
Error split_by_set(Comm& comm, const std::string& name, int key, Comm*& out) {
  int color = MPI_UNDEFINED;
  if (Group* const set = make_process_set(name)) {
    if (set->contains(this_process)) color = static_cast<int>(set->process(0));
    release(*set);
  }
  return split_any(comm, color, key, out);
}

Error split_as_told(Comm& comm, int split_type, int key, const Info* info, Comm*& out) {
  const std::string* const type = info ? info->get(resource_key) : nullptr;
  const std::string* const set = info ? info->get("mpi_pset_name") : nullptr;
  switch (split_type) {
    case MPI_COMM_TYPE_SHARED: return split_any(comm, node_color(), key, out);
    case MPI_COMM_TYPE_HW_UNGUIDED: return split_unguided(comm, key, out);
    case MPI_COMM_TYPE_HW_GUIDED: return split_guided(comm, type ? *type : "", key, out);
    case MPI_COMM_TYPE_RESOURCE_GUIDED:
      if (type && set) return fail(ErrorClass::info, "info has both mpi_hw_resource_type and mpi_pset_name");
      return set ? split_by_set(comm, *set, key, out) : split_guided(comm, type ? *type : "", key, out);
    case MPI_UNDEFINED: return split_any(comm, MPI_UNDEFINED, key, out);
    default:
      return fail(ErrorClass::arg,
                  "split_type %d: expected MPI_COMM_TYPE_SHARED, another MPI_COMM_TYPE_, or MPI_UNDEFINED", split_type);
  }
}

}  // namespace

Error body::Comm_split_type(Comm& comm, int split_type, int key, Info* info, MPI_Comm* newcomm) {
  Comm* part;
  if (Error error = split_as_told(comm, split_type, key, info, part)) return error;
  *newcomm = part ? static_cast<MPI_Comm>(handle_of(*part)) : MPI_COMM_NULL;
  return success;
}

}  // namespace cow
