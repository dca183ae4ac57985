// Questions about the binary interface.
#include "api/bodies.hpp"
#include "objects/info.hpp"

namespace cow {

// The sizes of the types that the standard lets an ABI choose, in bytes. The program frees the info.
Error body::Abi_get_info(MPI_Info* info) {
  Info* made = nullptr;
  if (Error error = create_info(made)) return error;
  made->set("mpi_aint_size", std::to_string(sizeof(MPI_Aint)));
  made->set("mpi_count_size", std::to_string(sizeof(MPI_Count)));
  made->set("mpi_offset_size", std::to_string(sizeof(MPI_Offset)));
  *info = handle_of(*made);
  return success;
}

}  // namespace cow
