// How long MPI_Init takes, over the ranks, and, with `--since NS` (`date +%s%N` just before mpirun), how long from
// there until the last rank had passed MPI_Init.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

double milliseconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  const double launched = argc == 3 && strcmp(argv[1], "--since") == 0 ? atof(argv[2]) / 1e6 : 0;
  const double before = milliseconds(CLOCK_MONOTONIC);
  MPI_Init(&argc, &argv);
  double mine[2] = {milliseconds(CLOCK_MONOTONIC) - before, milliseconds(CLOCK_REALTIME) - launched};
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  double least = 0, most[2] = {}, sum = 0;
  MPI_Reduce(mine, &least, 1, MPI_DOUBLE, MPI_MIN, 0, MPI_COMM_WORLD);
  MPI_Reduce(mine, most, 2, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  MPI_Reduce(mine, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    printf("# COW MPI Init Test\n");
    printf("nprocs: %d, min: %.2f ms, max: %.2f ms, avg: %.2f ms\n", ranks, least, most[0], sum / ranks);
    if (launched > 0) printf("from the launch to the end of the last MPI_Init: %.2f ms\n", most[1]);
  }
  MPI_Finalize();
}
