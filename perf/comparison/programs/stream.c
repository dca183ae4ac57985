/* A window of messages from rank 0 to rank 1, then a short answer, many times over.
   stream [--pin] bandwidth SIZE...   MB/s (10^6 bytes)
   stream [--pin] rate SIZE...        millions of messages a second */
#include "measure.h"

enum { window = 64, data_tag = 100, answer_tag = 101 };

typedef struct {
  int rank, size;
  char* data;
  char answer[4];
  MPI_Request requests[window];
} Stream;

static void one_window(void* context) {
  Stream* stream = context;
  if (stream->rank == 0) {
    for (int i = 0; i < window; ++i)
      MPI_Isend(stream->data, stream->size, MPI_CHAR, 1, data_tag, MPI_COMM_WORLD, &stream->requests[i]);
    MPI_Waitall(window, stream->requests, MPI_STATUSES_IGNORE);
    MPI_Recv(stream->answer, 4, MPI_CHAR, 1, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else if (stream->rank == 1) {
    for (int i = 0; i < window; ++i)
      MPI_Irecv(stream->data, stream->size, MPI_CHAR, 0, data_tag, MPI_COMM_WORLD, &stream->requests[i]);
    MPI_Waitall(window, stream->requests, MPI_STATUSES_IGNORE);
    MPI_Send(stream->answer, 4, MPI_CHAR, 0, answer_tag, MPI_COMM_WORLD);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int alone = take_pin(&argc, argv, rank);
  const int rate = argc > 1 && strcmp(argv[1], "rate") == 0;
  for (int i = 2; i < argc; ++i) {
    const int size = atoi(argv[i]);
    Stream stream = {.rank = rank, .size = size, .data = buffer_of((size_t)size)};
    const double time = microseconds_of(one_window, &stream, alone ? &own_cores : &shared_cores);
    if (rank == 0) printf("%d %.4f\n", size, rate ? window / time : (double)window * size / time);
    free(stream.data);
  }
  MPI_Finalize();
}
