/* Messages of all sizes between all ranks, and collectives, for some seconds, or for ever.
   traffic [SECONDS] */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { largest = 1 << 20 };
static const int sizes[] = {0, 8, 100, 5000, 8192, 8193, 70000, largest};
enum { size_count = sizeof sizes / sizeof *sizes };

/* One message from each rank to each, the size by round and distance. Returns how many arrived damaged. */
static int exchange(int rank, int count, int round, char* out, char* in) {
  int damaged = 0;
  for (int distance = 0; distance < count; ++distance) {
    const int to = (rank + distance) % count, from = (rank - distance + count) % count;
    const int size = sizes[(round + distance) % size_count];
    MPI_Request requests[2];
    memset(out, rank + round, (size_t)size);
    memset(in, -1, (size_t)size);
    MPI_Irecv(in, size, MPI_BYTE, from, round % 7, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(out, size, MPI_BYTE, to, round % 7, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < size; ++i)
      if (in[i] != (char)(from + round)) {
        ++damaged;
        break;
      }
  }
  return damaged;
}

int main(int argc, char** argv) {
  int rank, count, damaged = 0, all = 0, go_on = 1;
  char *out = malloc(largest), *in = malloc(largest);
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  const double start = MPI_Wtime(), seconds = argc > 1 ? atof(argv[1]) : 1e9;
  if (rank == 0 && argc < 2) printf("under way\n"), fflush(stdout);
  for (int round = 0; go_on; ++round) {
    damaged += exchange(rank, count, round, out, in);
    MPI_Allreduce(&damaged, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    go_on = all == 0 && MPI_Wtime() - start < seconds;
    MPI_Bcast(&go_on, 1, MPI_INT, 0, MPI_COMM_WORLD);
  }
  if (rank == 0 && all > 0) printf("%d messages were damaged\n", all);
  free(out);
  free(in);
  MPI_Finalize();
  return all > 0;
}
