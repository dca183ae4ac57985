/* Round trips of 8 bytes for perf/instructions to count, by MPI_Send and MPI_Recv and by active messages, COUNT of each. No
   call has to wait: a turn in memory that both ranks map says when the message is there.
   round_trips COUNT */
#include "measure.h"

#include <mpix.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

static int rank, ping, pong;
static volatile int called;
static atomic_int* turn;
static int turns;

static void answer(const MPIX_Am_message* message, void* state) {
  (void)state;
  MPIX_Am_reply(message, pong, message->header, message->header_size, NULL, 0);
  called = 1;
}
static void note(const MPIX_Am_message* message, void* state) {
  (void)message, (void)state;
  called = 1;
}

static void give_turn(void) { atomic_store(turn, ++turns); }
static void await_turn(void) {
  ++turns;
  while (atomic_load(turn) != turns) sched_yield();
}

static void map_turn(void) {
  int number[2] = {getpid(), rank == 0 ? memfd_create("turn", 0) : 0};
  MPI_Bcast(number, 2, MPI_INT, 0, MPI_COMM_WORLD);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", number[0], number[1]);
  FILE* const file = fopen(path, "r+");
  if (!file || ftruncate(fileno(file), 4096) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
  turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  if (turn == MAP_FAILED) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void by_messages(void) {
  long word = 1;
  if (rank == 1) await_turn();
  if (rank == 1) MPI_Recv(&word, 8, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Send(&word, 8, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD);
  give_turn();
  if (rank == 1) return;
  await_turn();
  MPI_Recv(&word, 8, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void by_handlers(void) {
  const long word = 1;
  if (rank == 1) {
    await_turn();
    MPIX_Progress_until(&called); /* the first may have come within the barrier */
    called = 0;
    give_turn();
    return;
  }
  MPIX_Am_send(MPI_COMM_WORLD, 1, ping, &word, sizeof word, NULL, 0);
  give_turn();
  await_turn();
  MPIX_Progress_until(&called);
  called = 0;
}

static void run(int count) {
  for (int i = 0; i < count; ++i) by_messages();
  MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; i < count; ++i) by_handlers();
  MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPIX_Am_register(MPI_COMM_WORLD, answer, NULL, MPIX_AM_PROGRESS, &ping);
  MPIX_Am_register(MPI_COMM_WORLD, note, NULL, MPIX_AM_PROGRESS, &pong);
  map_turn();
  long pids[2] = {getpid(), 0};
  if (rank == 1) MPI_Send(&pids[0], 1, MPI_LONG, 0, 1, MPI_COMM_WORLD);
  if (rank == 0) MPI_Recv(&pids[1], 1, MPI_LONG, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  run(100); /* the first messages make connections and fill caches */
  CALLGRIND_START_INSTRUMENTATION;
  run(argc > 1 ? atoi(argv[1]) : 1000);
  CALLGRIND_STOP_INSTRUMENTATION;
  if (rank == 0) printf("0 %ld\n1 %ld\n", pids[0], pids[1]);
  MPI_Finalize();
}
