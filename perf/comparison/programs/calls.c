/* Calls for perf/instructions to count: COUNT times, rank 0 sends 8 bytes with MPI_Isend and MPI_Wait and says with
   MPI_Send that it did; rank 1 has called MPI_Irecv before, and calls MPI_Wait when its request must be complete.
   Prints the process number of each rank, by which its counts are found. Each rank calls each of the functions exactly
   COUNT times in what is counted, and no call has to wait for a message.
   calls COUNT */
#include "measure.h"

#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

enum { message_tag = 1, sent_tag = 2, go_tag = 3 };

static void send_one(void) {
  long word = 1;
  MPI_Request request;
  MPI_Recv(&word, 1, MPI_LONG, 1, go_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Isend(&word, 8, MPI_CHAR, 1, message_tag, MPI_COMM_WORLD, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Send(&word, 8, MPI_CHAR, 1, sent_tag, MPI_COMM_WORLD);
}

static void receive_one(void) {
  long word = 0, sent = 0;
  MPI_Request request;
  MPI_Irecv(&word, 8, MPI_CHAR, 0, message_tag, MPI_COMM_WORLD, &request);
  MPI_Send(&sent, 1, MPI_LONG, 0, go_tag, MPI_COMM_WORLD);
  MPI_Recv(&sent, 8, MPI_CHAR, 0, sent_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
}

static void exchange(int rank, int count) {
  for (int i = 0; i < count; ++i) rank == 0 ? send_one() : receive_one();
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  long pids[2] = {getpid(), 0};
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 1) MPI_Send(&pids[0], 1, MPI_LONG, 0, sent_tag, MPI_COMM_WORLD);
  if (rank == 0) MPI_Recv(&pids[1], 1, MPI_LONG, 1, sent_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  exchange(rank, 100); /* the first messages make connections and fill caches */
  MPI_Barrier(MPI_COMM_WORLD);
  CALLGRIND_START_INSTRUMENTATION;
  exchange(rank, argc > 1 ? atoi(argv[1]) : 1000);
  CALLGRIND_STOP_INSTRUMENTATION;
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) printf("0 %ld\n1 %ld\n", pids[0], pids[1]);
  MPI_Finalize();
}
