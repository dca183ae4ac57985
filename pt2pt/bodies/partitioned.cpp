// Partitioned communication.
#include "pt2pt/partitioned.hpp"

#include "api/bodies.hpp"
#include "pt2pt/bodies/blaming.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {
namespace {

Error check_partitions(int partitions) {
  return partitions >= 0 ? success : fail(ErrorClass::arg, "partitions is negative: %d", partitions);
}

// The source of a partitioned receive, which must be named.
Error check_source(int rank, const Comm& comm) {
  const int size = comm.peers().size();
  if ((rank >= 0 && rank < size) || rank == MPI_PROC_NULL) return success;
  if (rank == MPI_ANY_SOURCE)
    return fail(ErrorClass::rank, "MPI_ANY_SOURCE is not allowed in partitioned communication");
  return fail(ErrorClass::rank, "rank %d does not exist: there are %d", rank, size);
}

Error hand_out(Error error, Request* made, MPI_Request* out) { return error ? error : pt2pt::give_handle(*made, out); }

}  // namespace

Error body::Psend_init(const void* buf, int partitions, MPI_Count count, Datatype& type, int dest, int tag, Comm& comm,
                       Info*, MPI_Request* request) {
  if (Error error = check_partitions(partitions)) return error;
  Request* made = nullptr;
  const Error error =
      pt2pt::make_partitioned_send({const_cast<void*>(buf), partitions, count, &type, dest, tag, &comm}, made);
  return hand_out(error, made, request);
}

Error body::Precv_init(void* buf, int partitions, MPI_Count count, Datatype& type, int source, int tag, Comm& comm,
                       Info*, MPI_Request* request) {
  if (Error error = check_partitions(partitions)) return error;
  if (Error error = check_source(source, comm)) return error;
  Request* made = nullptr;
  const Error error = pt2pt::make_partitioned_receive({buf, partitions, count, &type, source, tag, &comm}, made);
  return hand_out(error, made, request);
}

Error body::Pready(int partition, MPI_Request handle) {
  Request* request;
  if (Error error = pt2pt::look_up(handle, request)) return error;
  return pt2pt::blaming(*request, pt2pt::mark_ready(*request, partition));
}

Error body::Pready_range(int partition_low, int partition_high, MPI_Request handle) {
  Request* request;
  if (Error error = pt2pt::look_up(handle, request)) return error;
  if (partition_low > partition_high)
    return pt2pt::blaming(*request, fail(ErrorClass::arg, "partition_low is %d and partition_high is %d, which is less",
                                         partition_low, partition_high));
  for (int i = partition_low; i <= partition_high; ++i)
    if (Error error = pt2pt::mark_ready(*request, i)) return pt2pt::blaming(*request, error);
  return success;
}

Error body::Pready_list(int length, const int* partitions, MPI_Request handle) {
  Request* request;
  if (Error error = pt2pt::look_up(handle, request)) return error;
  if (length > 0 && !partitions)
    return pt2pt::blaming(*request, fail(ErrorClass::arg, "array_of_partitions is a null pointer"));
  for (int i = 0; i < length; ++i)
    if (Error error = pt2pt::mark_ready(*request, partitions[i])) return pt2pt::blaming(*request, error);
  return success;
}

Error body::Parrived(MPI_Request handle, int partition, int* flag) {
  *flag = 1;
  if (handle == MPI_REQUEST_NULL) return success;
  Request* request;
  if (Error error = pt2pt::look_up(handle, request)) return error;
  bool arrived;
  if (Error error = pt2pt::has_arrived(*request, partition, arrived)) return pt2pt::blaming(*request, error);
  if (!arrived) {
    pt2pt::poll_asked();
    if (Error error = pt2pt::has_arrived(*request, partition, arrived)) return pt2pt::blaming(*request, error);
  }
  *flag = arrived;
  return success;
}

}  // namespace cow
