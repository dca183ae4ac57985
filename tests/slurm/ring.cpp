// A program that other launchers start: a message around all ranks, a sum over them, and one line. `ring abort N`: rank 1
// aborts while the others wait. `ring wait`: until SIGUSR1 has come,
// which must come once.
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vector>

namespace {
volatile sig_atomic_t warned = 0;
void on_warning(int) { warned = warned + 1; }
}  // namespace

int main(int argc, char** argv) {
  signal(SIGUSR1, on_warning);
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "abort") == 0) {
    if (rank == 1) MPI_Abort(MPI_COMM_WORLD, atoi(argv[2]));
    MPI_Barrier(MPI_COMM_WORLD);
  }
  std::vector<int> out(50'000, rank), in(out.size());
  const int next = (rank + 1) % size, before = (rank + size - 1) % size;
  MPI_Sendrecv(out.data(), 50'000, MPI_INT, next, 0, in.data(), 50'000, MPI_INT, before, 0, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  int sum = 0;
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (in.front() != before || in.back() != before || sum != size * (size - 1) / 2) {
    printf("rank %d of %d: wrong\n", rank, size);
    return 1;
  }
  if (strcmp(what, "wait") == 0) {
    printf("waiting\n");
    fflush(stdout);
    while (!warned) usleep(10'000);
    usleep(500'000);
    if (warned > 1) printf("warned %d times\n", static_cast<int>(warned));
  }
  printf("rank %d of %d\n", rank, size);
  fflush(stdout);
  MPI_Finalize();
  return 0;
}
