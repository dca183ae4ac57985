/* Latency: two ranks throw one message back and forth; half a round trip in microseconds, for each size.
   pingpong [--on CPU] [--pin] SIZE... */
#include "measure.h"

typedef struct {
  int rank, size;
  char *out, *in;
} Pair;

static void round_trip(void* context) {
  const Pair* pair = context;
  if (pair->rank == 0) {
    MPI_Send(pair->out, pair->size, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
    MPI_Recv(pair->in, pair->size, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else if (pair->rank == 1) {
    MPI_Recv(pair->in, pair->size, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(pair->out, pair->size, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  take_on(&argc, argv);
  const int alone = take_pin(&argc, argv, rank);
  for (int i = 1; i < argc; ++i) {
    const int size = atoi(argv[i]);
    Pair pair = {rank, size, buffer_of((size_t)size), buffer_of((size_t)size)};
    const double time = microseconds_of(round_trip, &pair, alone ? &own_cores : &shared_cores) / 2;
    if (rank == 0) printf("%d %.4f\n", size, time);
    free(pair.out);
    free(pair.in);
  }
  MPI_Finalize();
}
