/* Compiled as C and as C++ by tests/systems/languages. */
#include <mpi.h>
#include <mpix.h>

int uses_mpi(void);
int uses_mpi(void) {
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Datatype type = MPI_DOUBLE;
  MPI_Status status;
  int flag = 0, buffer[2] = {0, 0};
  if (MPI_Comm_dup(MPI_COMM_WORLD, &comm) != MPI_SUCCESS) return 1;
  MPI_Allreduce(MPI_IN_PLACE, buffer, 2, MPI_INT, MPI_SUM, comm);
  MPI_Irecv(buffer, 1, type, MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &request);
  MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
  MPI_Wait(&request, &status);
  MPI_Waitall(1, &request, MPI_STATUSES_IGNORE);
  return status.MPI_SOURCE + flag;
}
