// Ranks that exchange numbers with their neighbours and check them until the file that is named appears; then each talks
// with all others, most of them for the first time. Prints "rank R of N" at the end, and "busy" when all have begun.
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

#include <vector>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int next = (rank + 1) % size, before = (rank + size - 1) % size;
  int wrong = argc != 2;
  std::vector<int> out(5000), in(out.size());
  // The last round is decided so early that the news has gone round the ring before it.
  for (int round = 0, last = 0; last == 0 || round <= last; ++round) {
    if (rank == 0 && last == 0 && access(argv[1], F_OK) == 0) last = round + size + 1;
    for (int& number : out) number = rank + round;
    out[0] = last;
    MPI_Sendrecv(out.data(), 5000, MPI_INT, next, 7, in.data(), 5000, MPI_INT, before, 7, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    for (unsigned i = 1; i < 5000; ++i) wrong += in[i] != before + round;
    if (in[0] > last) last = in[0];
    if (round == 0 && rank == 0) {
      puts("busy");
      fflush(stdout);
    }
    usleep(1000);
  }
  std::vector<int> all(static_cast<unsigned>(size));
  MPI_Alltoall(std::vector<int>(static_cast<unsigned>(size), rank).data(), 1, MPI_INT, all.data(), 1, MPI_INT,
               MPI_COMM_WORLD);
  for (int i = 0; i < size; ++i) wrong += all[static_cast<unsigned>(i)] != i;
  printf("rank %d of %d%s\n", rank, size, wrong ? ": wrong" : "");
  MPI_Finalize();
  return wrong != 0;
}
