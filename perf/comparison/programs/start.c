/* Starting and ending: milliseconds and memory of a rank.
     init       MPI_Init, the slowest rank: milliseconds
     job        from before MPI_Init to after MPI_Finalize, with those messages between, rank 0: milliseconds
     memory     proportional set size of a rank after MPI_Init, mean over the ranks: KiB (what it has for itself, and its
                share of what several processes map)
     private    of that, what it has for itself alone: KiB
     talked     as memory, after a message to and from every other rank: KiB */
#include "measure.h"

#include <time.h>

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* KiB of the lines of /proc/self/smaps_rollup that begin with the name. */
static double memory(const char* name) {
  FILE* file = fopen("/proc/self/smaps_rollup", "r");
  char line[200];
  double sum = 0;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, name, strlen(name)) == 0) sum += atof(strchr(line, ':') + 1);
  if (file) fclose(file);
  return sum;
}

static void talk_to_all(int rank, int ranks) {
  for (int step = 1; step < ranks; ++step) {
    const int to = (rank + step) % ranks, from = (rank - step + ranks) % ranks;
    int got = 0;
    MPI_Sendrecv(&rank, 1, MPI_INT, to, 1, &got, 1, MPI_INT, from, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
}

int main(int argc, char** argv) {
  const double start = now_ms();
  MPI_Init(&argc, &argv);
  double mine[4] = {now_ms() - start, memory("Pss:"), memory("Private_"), 0}, init = 0, sums[3];
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  talk_to_all(rank, ranks);
  mine[3] = memory("Pss:");
  MPI_Reduce(&mine[0], &init, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  MPI_Reduce(&mine[1], sums, 3, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  MPI_Finalize();
  if (rank != 0) return 0;
  printf("init %.2f\njob %.2f\nmemory %.0f\nprivate %.0f\ntalked %.0f\n", init, now_ms() - start, sums[0] / ranks,
         sums[1] / ranks, sums[2] / ranks);
}
