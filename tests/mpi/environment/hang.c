/* Four programs that hang, by the word in argv[1], and one that only says so. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void wait_in_a_circle(int rank, int size) {
  int value = 0;
  MPI_Recv(&value, 1, MPI_INT, (rank + 1) % size, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void call_different_collectives(int rank, int size) {
  int in = rank, out = 0, all[64];
  if (rank == size - 1) /* hears of some ranks, but never of rank 0 */
    MPI_Gather(&in, 1, MPI_INT, all, 1, MPI_INT, rank, MPI_COMM_WORLD);
  else
    MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
}

static void name_different_roots(int rank, int size) {
  int in = rank, out = 0;
  MPI_Reduce(&in, &out, 1, MPI_INT, MPI_SUM, rank == size - 1 ? rank : 0, MPI_COMM_WORLD);
}

static void be_slow(int rank) {
  int value = 0;
  if (rank == 1) {
    printf("ready\n");
    fflush(stdout);
    while (1) pause();
  }
  MPI_Recv(&value, 1, MPI_INT, 1, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* What it prints is nobody's business, and its sleep is its own. */
static void say_so(int rank) {
  int interrupted = 0;
  for (int i = 0; i < 30; ++i) {
    fprintf(stderr, "[rank %d] why: 9.0 s without progress in MPI_Recv at a.out+0x1\n", rank);
    fprintf(stderr, "[rank %d] why: receive from rank 0, tag 7, on MPI_COMM_WORLD (context 2), room for 4 bytes\n", rank);
    interrupted += usleep(100 * 1000) != 0;
  }
  printf("rank %d was interrupted %d times\n", rank, interrupted);
  MPI_Finalize();
  exit(0);
}

int main(int argc, char** argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Barrier(MPI_COMM_WORLD);
  if (strcmp(argv[1], "circle") == 0) wait_in_a_circle(rank, size);
  if (strcmp(argv[1], "mismatch") == 0) call_different_collectives(rank, size);
  if (strcmp(argv[1], "roots") == 0) name_different_roots(rank, size);
  if (strcmp(argv[1], "slow") == 0) be_slow(rank);
  if (strcmp(argv[1], "words") == 0) say_so(rank);
  while (1) pause();
}
