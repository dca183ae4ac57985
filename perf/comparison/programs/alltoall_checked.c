/* All-to-all of many ranks, every block looked at; microseconds of one call. What is asked is mainly that it ends, and
   with the right bytes, where shared memory is scarce.
   alltoall_checked SIZE... */
#include "measure.h"

static unsigned char byte_of(int from, int to, int round) { return (unsigned char)(from * 31 + to * 7 + round); }

static void fill(char* out, int size, int ranks, int rank, int round) {
  for (int to = 0; to < ranks; ++to) memset(out + (size_t)to * (size_t)size, byte_of(rank, to, round), (size_t)size);
}

static void look(const char* in, int size, int ranks, int rank, int round) {
  for (size_t i = 0; i < (size_t)size * (size_t)ranks; ++i) {
    const int from = (int)(i / (size_t)size);
    if ((unsigned char)in[i] == byte_of(from, rank, round)) continue;
    fprintf(stderr, "alltoall: rank %d has a wrong byte from rank %d, blocks of %d\n", rank, from, size);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int i = 1; i < argc; ++i) {
    enum { rounds = 3 };
    const int size = atoi(argv[i]);
    char *out = buffer_of((size_t)size * (size_t)ranks), *in = buffer_of((size_t)size * (size_t)ranks);
    double times[rounds];
    for (int round = 0; round < rounds; ++round) {
      fill(out, size, ranks, rank, round);
      MPI_Barrier(MPI_COMM_WORLD);
      const double start = MPI_Wtime();
      MPI_Alltoall(out, size, MPI_CHAR, in, size, MPI_CHAR, MPI_COMM_WORLD);
      MPI_Barrier(MPI_COMM_WORLD);
      times[round] = (MPI_Wtime() - start) * 1e6;
      look(in, size, ranks, rank, round);
    }
    if (rank == 0) printf("%d %.1f\n", size, median(times, rounds));
    free(out);
    free(in);
  }
  MPI_Finalize();
}
