/* A message of 4 MiB of doubles that do not lie together, there and back: sent with a derived type, and packed by a loop,
   sent, and unpacked by a loop, as programs do that do not trust types. Half a round trip in microseconds; keys are
   vector/BLOCK/type, vector/BLOCK/loop, and so for indexed and subarray; BLOCK is in bytes.
   typed [--pin] BLOCK... */
#include "measure.h"

enum { doubles = 4 << 20 >> 3 };

typedef struct {
  int rank, block, blocks; /* block in doubles */
  int by_type;
  MPI_Datatype type;
  const int* places; /* where each block begins, in doubles */
  double *array, *packed;
} Message;

static void pack(const Message* m) {
  double* to = m->packed;
  for (int i = 0; i < m->blocks; ++i)
    for (int j = 0; j < m->block; ++j) *to++ = m->array[m->places[i] + j];
}

static void unpack(const Message* m) {
  const double* from = m->packed;
  for (int i = 0; i < m->blocks; ++i)
    for (int j = 0; j < m->block; ++j) m->array[m->places[i] + j] = *from++;
}

static void send(const Message* m) {
  if (!m->by_type) pack(m);
  if (m->by_type)
    MPI_Send(m->array, 1, m->type, 1 - m->rank, 1, MPI_COMM_WORLD);
  else
    MPI_Send(m->packed, doubles, MPI_DOUBLE, 1 - m->rank, 1, MPI_COMM_WORLD);
}

static void receive(const Message* m) {
  if (m->by_type)
    MPI_Recv(m->array, 1, m->type, 1 - m->rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else
    MPI_Recv(m->packed, doubles, MPI_DOUBLE, 1 - m->rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (!m->by_type) unpack(m);
}

static void round_trip(void* context) {
  const Message* m = context;
  if (m->rank == 0) {
    send(m);
    receive(m);
  } else {
    receive(m);
    send(m);
  }
}

static void measure(Message* m, const char* shape, int alone) {
  MPI_Type_commit(&m->type);
  for (m->by_type = 1; m->by_type >= 0; --m->by_type) {
    const double time = microseconds_of(round_trip, m, alone ? &own_cores : &shared_cores) / 2;
    if (m->rank == 0) printf("%s/%d/%s %.2f\n", shape, m->block * 8, m->by_type ? "type" : "loop", time);
  }
  MPI_Type_free(&m->type);
}

static void all_shapes(Message* m, int alone) {
  int *places = malloc(sizeof *places * (size_t)m->blocks), *lengths = malloc(sizeof *lengths * (size_t)m->blocks);
  m->places = places;
  for (int i = 0; i < m->blocks; ++i) places[i] = 2 * m->block * i, lengths[i] = m->block;
  MPI_Type_vector(m->blocks, m->block, 2 * m->block, MPI_DOUBLE, &m->type);
  measure(m, "vector", alone);

  const int rows = m->blocks < 16 ? m->blocks : 16, planes = m->blocks / rows;
  const int sizes[] = {planes, rows + 2, 2 * m->block}, part[] = {planes, rows, m->block}, from[] = {0, 1, m->block / 2};
  for (int i = 0; i < m->blocks; ++i) places[i] = ((i / rows) * (rows + 2) + i % rows + 1) * 2 * m->block + m->block / 2;
  MPI_Type_create_subarray(3, sizes, part, from, MPI_ORDER_C, MPI_DOUBLE, &m->type);
  measure(m, "subarray", alone);

  srand(1); /* the same places on both ranks */
  for (int i = 0, place = 0; i < m->blocks; ++i, place += m->block + rand() % (2 * m->block)) places[i] = place;
  MPI_Type_indexed(m->blocks, lengths, places, MPI_DOUBLE, &m->type);
  measure(m, "indexed", alone);
  free(places);
  free(lengths);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Message m = {0};
  MPI_Comm_rank(MPI_COMM_WORLD, &m.rank);
  const int alone = take_pin(&argc, argv, m.rank);
  m.array = (double*)buffer_of(sizeof(double) * 3 * doubles);
  m.packed = (double*)buffer_of(sizeof(double) * doubles);
  for (int i = 1; i < argc; ++i) {
    m.block = atoi(argv[i]) / 8;
    m.blocks = doubles / m.block;
    all_shapes(&m, alone);
  }
  MPI_Finalize();
}
