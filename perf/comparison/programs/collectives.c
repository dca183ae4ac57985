/* Blocking collectives, called one after the other without a barrier between them; microseconds of one call. The root
   goes round, so that no rank can run ahead for long. A key is NAME/SIZE; the size is in bytes, of what a rank gives
   (or of one block, where a rank gives or gets several). NAME may be two calls, as reduce+bcast: then both are made,
   each with the same root, and timed as one.
   A further line KEY.switches says how often a rank was switched away from its processor: per call, mean over the
   ranks.
   collectives [--pin] KEY... */
#include "measure.h"

typedef struct {
  int ranks, root, size;
  char *out, *in;
  int *bytes, *ints, *displacements; /* of a block for each rank */
} Arguments;

static void call_barrier(Arguments* c) { (void)c; MPI_Barrier(MPI_COMM_WORLD); }
static void call_bcast(Arguments* c) { MPI_Bcast(c->out, c->size, MPI_CHAR, c->root, MPI_COMM_WORLD); }
static void call_reduce(Arguments* c) {
  MPI_Reduce(c->out, c->in, c->size / 4, MPI_INT, MPI_SUM, c->root, MPI_COMM_WORLD);
}
static void call_allreduce(Arguments* c) { MPI_Allreduce(c->out, c->in, c->size / 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD); }
static void call_reduce_scatter_block(Arguments* c) {
  MPI_Reduce_scatter_block(c->out, c->in, c->size / 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
}
static void call_scan(Arguments* c) { MPI_Scan(c->out, c->in, c->size / 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD); }
static void call_gather(Arguments* c) {
  MPI_Gather(c->out, c->size, MPI_CHAR, c->in, c->size, MPI_CHAR, c->root, MPI_COMM_WORLD);
}
static void call_scatter(Arguments* c) {
  MPI_Scatter(c->out, c->size, MPI_CHAR, c->in, c->size, MPI_CHAR, c->root, MPI_COMM_WORLD);
}
static void call_allgather(Arguments* c) {
  MPI_Allgather(c->out, c->size, MPI_CHAR, c->in, c->size, MPI_CHAR, MPI_COMM_WORLD);
}
static void call_alltoall(Arguments* c) {
  MPI_Alltoall(c->out, c->size, MPI_CHAR, c->in, c->size, MPI_CHAR, MPI_COMM_WORLD);
}
static void call_exscan(Arguments* c) { MPI_Exscan(c->out, c->in, c->size / 4, MPI_INT, MPI_SUM, MPI_COMM_WORLD); }
/* Blocks given one by one, here all of one size. The arrays are the program's, made once, as programs do. */
static void call_gatherv(Arguments* c) {
  MPI_Gatherv(c->out, c->size, MPI_CHAR, c->in, c->bytes, c->displacements, MPI_CHAR, c->root, MPI_COMM_WORLD);
}
static void call_scatterv(Arguments* c) {
  MPI_Scatterv(c->out, c->bytes, c->displacements, MPI_CHAR, c->in, c->size, MPI_CHAR, c->root, MPI_COMM_WORLD);
}
static void call_allgatherv(Arguments* c) {
  MPI_Allgatherv(c->out, c->size, MPI_CHAR, c->in, c->bytes, c->displacements, MPI_CHAR, MPI_COMM_WORLD);
}
static void call_alltoallv(Arguments* c) {
  MPI_Alltoallv(c->out, c->bytes, c->displacements, MPI_CHAR, c->in, c->bytes, c->displacements, MPI_CHAR, MPI_COMM_WORLD);
}
static void call_reduce_scatter(Arguments* c) {
  MPI_Reduce_scatter(c->out, c->in, c->ints, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
}
/* A broadcast of all that a gather brought. */
static void call_bcast_all(Arguments* c) { MPI_Bcast(c->in, c->size * c->ranks, MPI_CHAR, c->root, MPI_COMM_WORLD); }

static const struct {
  const char* name;
  void (*call)(Arguments*);
} known[] = {
    {"barrier", call_barrier},       {"bcast", call_bcast},         {"reduce", call_reduce},
    {"allreduce", call_allreduce},   {"scan", call_scan},           {"reduce_scatter", call_reduce_scatter},
    {"gather", call_gather},         {"scatter", call_scatter},     {"allgather", call_allgather},
    {"alltoall", call_alltoall},     {"bcast_all", call_bcast_all}, {"exscan", call_exscan},
    {"gatherv", call_gatherv},       {"scatterv", call_scatterv},   {"allgatherv", call_allgatherv},
    {"alltoallv", call_alltoallv},   {"reduce_scatter_block", call_reduce_scatter_block},
};

typedef struct {
  Arguments arguments;
  void (*first)(Arguments*);
  void (*second)(Arguments*); /* or null */
} Calls;

static void make_calls(void* context) {
  Calls* calls = context;
  calls->first(&calls->arguments);
  if (calls->second) calls->second(&calls->arguments);
  if (++calls->arguments.root == calls->arguments.ranks) calls->arguments.root = 0;
}

static void (*find(const char* name, size_t length))(Arguments*) {
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0) return known[i].call;
  fprintf(stderr, "collectives: there is no %.*s\n", (int)length, name);
  MPI_Abort(MPI_COMM_WORLD, 2);
  return NULL;
}

static Calls calls_of(const char* key, int ranks) {
  Calls calls = {.arguments = {.ranks = ranks}};
  const char *slash = strchr(key, '/'), *end = slash ? slash : key + strlen(key), *plus = strchr(key, '+');
  calls.first = find(key, (size_t)((plus ? plus : end) - key));
  if (plus) calls.second = find(plus + 1, (size_t)(end - plus - 1));
  calls.arguments.size = slash ? atoi(slash + 1) : 0;
  calls.arguments.out = buffer_of((size_t)calls.arguments.size * (size_t)ranks);
  calls.arguments.in = buffer_of((size_t)calls.arguments.size * (size_t)ranks);
  int** const arrays[] = {&calls.arguments.bytes, &calls.arguments.ints, &calls.arguments.displacements};
  for (int i = 0; i < 3; ++i) *arrays[i] = (int*)buffer_of(sizeof(int) * (size_t)ranks);
  for (int r = 0; r < ranks; ++r) {
    calls.arguments.bytes[r] = calls.arguments.size;
    calls.arguments.ints[r] = calls.arguments.size / 4;
    calls.arguments.displacements[r] = r * calls.arguments.size;
  }
  return calls;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int alone = take_pin(&argc, argv, rank);
  for (int i = 1; i < argc; ++i) {
    Calls calls = calls_of(argv[i], ranks);
    const PerCall mine = per_call(make_calls, &calls, alone ? &own_cores : &shared_cores);
    double switched = 0;
    MPI_Reduce(&mine.switches, &switched, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) printf("%s %.4f\n%s.switches %.4f\n", argv[i], mine.microseconds, argv[i], switched / ranks);
    free(calls.arguments.out);
    free(calls.arguments.in);
    free(calls.arguments.bytes);
    free(calls.arguments.ints);
    free(calls.arguments.displacements);
  }
  MPI_Finalize();
}
