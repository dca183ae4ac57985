/* Leaves some of everything behind. */
#include <mpi.h>

int main(int argc, char** argv) {
  int rank, value = 0;
  MPI_Comm comm;
  MPI_Datatype type;
  MPI_Info info;
  MPI_Request request;
  MPI_Group group;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (argc > 1) {
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_name(comm, "galley");
    MPI_Type_contiguous(3, MPI_INT, &type);
    MPI_Info_create(&info);
    MPI_Comm_group(comm, &group);
    MPI_Irecv(&value, 1, MPI_INT, rank, 5, comm, &request);
    MPI_Send(&rank, 1, MPI_INT, rank, 42, comm);
  }
  MPI_Finalize();
  return 0;
}
