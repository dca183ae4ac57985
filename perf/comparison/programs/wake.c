/* From the call that sends 8 bytes to a rank that has been waiting for 10 ms to the return of its MPI_Recv, on another
   core: microseconds. Both ranks must read the same clock: one machine.
   Where other processes run too, it matters what the sleeper did before: with Linux 6.18 every sched_yield gives up a
   whole time slice, and who has done that a thousand times is let in late when it is woken.
   wake [--pin] */
#include "measure.h"

#include <time.h>

enum { wakes = 40 };

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  take_pin(&argc, argv, rank);
  double times[wakes];
  for (int i = 0; i < wakes && rank < 2; ++i) {
    long stamp = 0;
    if (rank == 0) {
      const struct timespec pause = {0, 10000000};
      nanosleep(&pause, NULL);
      stamp = now();
      MPI_Send(&stamp, 8, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
      MPI_Recv(&times[i], 1, MPI_DOUBLE, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(&stamp, 8, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      const double took = (double)(now() - stamp) / 1e3;
      MPI_Send(&took, 1, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD);
    }
  }
  if (rank == 0) printf("wake %.3f\n", median(times, wakes));
  MPI_Finalize();
}
