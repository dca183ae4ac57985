/* What a long queue costs: latency of 8 bytes while COUNT others wait at both ranks; half a round trip in microseconds.
     none         nothing waits
     posted       receives that do not match, each with its own tag
     wildcard     receives from any source that do not match
     unexpected   messages that nobody has asked for yet
   matching [--pin] COUNT */
#include "measure.h"

typedef struct {
  int rank, count;
  char* words;
  MPI_Request* requests;
} Queue;

enum { pingpong_tag = 1, other_tags = 100 };

static void round_trip(void* context) {
  const int rank = *(const int*)context;
  char word[8] = "message";
  if (rank == 0) {
    MPI_Send(word, 8, MPI_CHAR, 1, pingpong_tag, MPI_COMM_WORLD);
    MPI_Recv(word, 8, MPI_CHAR, 1, pingpong_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else {
    MPI_Recv(word, 8, MPI_CHAR, 0, pingpong_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(word, 8, MPI_CHAR, 0, pingpong_tag, MPI_COMM_WORLD);
  }
}

static void post(Queue* queue, int source) {
  for (int i = 0; i < queue->count; ++i)
    MPI_Irecv(queue->words + 8 * i, 8, MPI_CHAR, source, other_tags + i, MPI_COMM_WORLD, &queue->requests[i]);
}

static void send_all(Queue* queue, MPI_Request* requests) {
  for (int i = 0; i < queue->count; ++i)
    MPI_Isend("message", 8, MPI_CHAR, 1 - queue->rank, other_tags + i, MPI_COMM_WORLD, &requests[i]);
}

static void measure(const char* name, Queue* queue, int alone) {
  const double time = microseconds_of(round_trip, &queue->rank, alone ? &own_cores : &shared_cores) / 2;
  if (queue->rank == 0) printf("%s %.4f\n", name, time);
}

static void with_posted(const char* name, Queue* queue, int alone, int source) {
  MPI_Request* sends = malloc(sizeof *sends * (size_t)queue->count);
  post(queue, source);
  MPI_Barrier(MPI_COMM_WORLD);
  measure(name, queue, alone);
  send_all(queue, sends);
  MPI_Waitall(queue->count, queue->requests, MPI_STATUSES_IGNORE);
  MPI_Waitall(queue->count, sends, MPI_STATUSES_IGNORE);
  free(sends);
}

static void with_unexpected(const char* name, Queue* queue, int alone) {
  MPI_Request* sends = malloc(sizeof *sends * (size_t)queue->count);
  send_all(queue, sends);
  MPI_Barrier(MPI_COMM_WORLD);
  measure(name, queue, alone); /* which also lets them arrive */
  post(queue, 1 - queue->rank);
  MPI_Waitall(queue->count, queue->requests, MPI_STATUSES_IGNORE);
  MPI_Waitall(queue->count, sends, MPI_STATUSES_IGNORE);
  free(sends);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Queue queue = {0};
  MPI_Comm_rank(MPI_COMM_WORLD, &queue.rank);
  const int alone = take_pin(&argc, argv, queue.rank);
  queue.count = argc > 1 ? atoi(argv[1]) : 10000;
  queue.words = buffer_of((size_t)queue.count * 8);
  queue.requests = malloc(sizeof *queue.requests * (size_t)queue.count);
  measure("none", &queue, alone);
  with_posted("posted", &queue, alone, 1 - queue.rank);
  with_posted("wildcard", &queue, alone, MPI_ANY_SOURCE);
  with_unexpected("unexpected", &queue, alone);
  MPI_Finalize();
}
