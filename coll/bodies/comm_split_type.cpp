// MPI_Comm_split_type.
#include <string>

#include "api/bodies.hpp"
#include "coll/new_comm.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "runtime/job.hpp"

namespace cow {

using namespace coll;

namespace {

constexpr int node_type = 1;   // split by node
constexpr int lower_type = 2;  // the same, but null where that is no smaller group

// What to split by, as all ranks must say alike; 0: nothing that we know, hence a null communicator.
Error kind_of(int split_type, const Info* info, int& out) {
  const std::string* const wanted = info ? info->get("mpi_hw_resource_type") : nullptr;
  switch (split_type) {
    case MPI_COMM_TYPE_SHARED:
      return out = node_type, success;
    case MPI_COMM_TYPE_HW_UNGUIDED:
      return out = lower_type, success;
    case MPI_COMM_TYPE_HW_GUIDED:
      return out = wanted && *wanted == "mpi_shared_memory" ? node_type : 0, success;
    case MPI_COMM_TYPE_RESOURCE_GUIDED:
      return out = wanted && *wanted == "mpi_shared_memory" ? node_type : 0, success;
    case MPI_UNDEFINED:
      return out = 0, success;
  }
  return fail(ErrorClass::arg, "split_type %d: expected MPI_COMM_TYPE_SHARED, another MPI_COMM_TYPE_, or MPI_UNDEFINED",
              split_type);
}

}  // namespace

Error body::Comm_split_type(Comm& comm, int split_type, int key, Info* info, MPI_Comm* newcomm) {
  if (comm.inter()) return fail(ErrorClass::comm, "it is an intercommunicator");
  int kind = 0;
  if (Error error = kind_of(split_type, info, kind)) return error;
  // Ranks of one node are one colour; the node's number is that of its launcher.
  const int color = kind == 0 ? int{MPI_UNDEFINED} : static_cast<int>(runtime::job().node & INT32_MAX);
  Comm* part;
  if (Error error = split(comm, color, key, part)) return error;
  if (part && kind == lower_type && part->size() == comm.size()) {
    discard(*part);
    part = nullptr;
  }
  *newcomm = part ? static_cast<MPI_Comm>(handle_of(*part)) : MPI_COMM_NULL;
  return success;
}

}  // namespace cow
