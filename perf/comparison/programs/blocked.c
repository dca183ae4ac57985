/* What waiting costs: rank 0 sleeps, and each other rank waits for it in its own way, the first in the first of the
   ways named, and so on. Seconds of CPU that the rank's process used meanwhile, all its threads together.
   blocked SECONDS recv|wait|probe|barrier... */
#include "measure.h"

#include <sys/resource.h>
#include <time.h>

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void wait_in(const char* way, MPI_Comm pair) {
  char word[8];
  MPI_Request request;
  if (strcmp(way, "recv") == 0) {
    MPI_Recv(word, 8, MPI_CHAR, 0, 1, pair, MPI_STATUS_IGNORE);
  } else if (strcmp(way, "wait") == 0) {
    MPI_Irecv(word, 8, MPI_CHAR, 0, 1, pair, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  } else if (strcmp(way, "probe") == 0) {
    MPI_Probe(0, 1, pair, MPI_STATUS_IGNORE);
    MPI_Recv(word, 8, MPI_CHAR, 0, 1, pair, MPI_STATUS_IGNORE);
  } else {
    MPI_Barrier(pair);
  }
}

/* A communicator of rank 0 and one other for each way; null for those that are not in it. */
static MPI_Comm pair_with(int other, int rank) {
  MPI_Comm pair;
  MPI_Comm_split(MPI_COMM_WORLD, rank == 0 || rank == other ? 0 : MPI_UNDEFINED, rank, &pair);
  return pair;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const double seconds = argc > 1 ? atof(argv[1]) : 1;
  const int ways = argc - 2;
  MPI_Comm* pairs = malloc(sizeof *pairs * (size_t)(ways + 1));
  for (int i = 0; i < ways; ++i) pairs[i] = pair_with(i + 1, rank);
  double used = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    const struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
    for (int i = 0; i < ways; ++i) {
      if (strcmp(argv[2 + i], "barrier") == 0)
        MPI_Barrier(pairs[i]);
      else
        MPI_Send("message", 8, MPI_CHAR, 1, 1, pairs[i]);
    }
    for (int i = 0; i < ways; ++i) {
      MPI_Recv(&used, 1, MPI_DOUBLE, i + 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      printf("%s %.4f\n", argv[2 + i], used);
    }
  } else if (rank <= ways) {
    const double before = cpu_seconds();
    wait_in(argv[1 + rank], pairs[rank - 1]);
    used = cpu_seconds() - before;
    MPI_Send(&used, 1, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD);
  }
  MPI_Finalize();
}
