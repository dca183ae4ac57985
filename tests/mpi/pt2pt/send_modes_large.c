/* Two ranks send half a gibibyte at each other before either receives, and overwrite the buffer at once. Under
 * copy-on-write, with a buffer that is not touched, neither takes more memory for it than page tables. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const long size = 512L << 20;

static double field(const char *name) { /* MiB, of /proc/self/status */
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  double value = -1;
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, name, strlen(name)) == 0) value = atof(line + strlen(name)) / 1024;
  if (status) fclose(status);
  return value;
}

static void complain(int rank, const char *mode, const char *what, double value) {
  printf("rank %d, %s: %s %g\n", rank, mode, what, value);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

/* In pieces through a small buffer, so that what is measured is not the receive buffer. */
static void receive(int other, MPI_Comm comm, char *in, int rank, const char *mode, char expected) {
  MPI_Recv_c(in, size, MPI_CHAR, other, 0, comm, MPI_STATUS_IGNORE);
  for (long i = 0; i < size; ++i)
    if (in[i] != expected) complain(rank, mode, "wrong byte at", (double)i);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  char *out = malloc(size), *in = malloc(size);
  memset(in, 0, size);
  const char *modes[] = {"copy", "cow"};
  for (int i = 0; i < 2; ++i) {
    MPI_Info info;
    MPI_Comm comm;
    MPI_Info_create(&info);
    MPI_Info_set(info, "cow_send_mode", modes[i]);
    MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm);
    MPI_Info_free(&info);
    memset(out, 'a' + i, size);
    MPI_Barrier(comm);
    MPI_Send_c(out, size, MPI_CHAR, 1 - rank, 0, comm);
    memset(out, 'z', size);
    MPI_Barrier(comm);
    receive(1 - rank, comm, in, rank, modes[i], (char)('a' + i));
    if (i == 1) { /* again, untouched */
      const double before = field("VmRSS:");
      MPI_Barrier(comm);
      MPI_Send_c(out, size, MPI_CHAR, 1 - rank, 0, comm);
      MPI_Barrier(comm);
      receive(1 - rank, comm, in, rank, modes[i], 'z');
      const double growth = field("VmRSS:") - before;
      if (growth > 32) complain(rank, modes[i], "MiB more resident:", growth);
    }
    MPI_Comm_free(&comm);
  }
  free(in);
  free(out);
  MPI_Finalize();
  return 0;
}
