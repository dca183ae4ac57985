/* A rank sends, overwrites its buffer and goes to MPI_Finalize before its neighbour receives: MPI_Finalize returns only
 * when the bytes have left. Under each mode that gives the buffer back at once. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { size = 5 << 20 };

static MPI_Comm with_mode(const char *mode) {
  MPI_Info info;
  MPI_Comm comm;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_send_mode", mode);
  MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm);
  MPI_Info_free(&info);
  return comm;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const char *modes[] = {"copy", "cow", "auto"};
  char *buffer = malloc(size);
  MPI_Comm comms[3];
  for (int i = 0; i < 3; ++i) comms[i] = with_mode(modes[i]);
  if (rank % 2 == 0) {
    for (int i = 0; i < 3; ++i) {
      memset(buffer, 'a' + i, size);
      MPI_Send(buffer, size, MPI_CHAR, rank + 1, 0, comms[i]);
    }
    memset(buffer, 'z', size);
    free(buffer);
  } else {
    usleep(200000);
    for (int i = 0; i < 3; ++i) {
      MPI_Recv(buffer, size, MPI_CHAR, rank - 1, 0, comms[i], MPI_STATUS_IGNORE);
      for (long k = 0; k < size; ++k)
        if (buffer[k] != 'a' + i) {
          printf("rank %d: byte %ld of the message under %s is %d\n", rank, k, modes[i], buffer[k]);
          MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    free(buffer);
  }
  for (int i = 0; i < 3; ++i) MPI_Comm_free(&comms[i]);
  MPI_Finalize();
  return 0;
}
