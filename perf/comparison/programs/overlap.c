/* How much of a communication is hidden behind a computation that now and then calls MPI_Test, in percent of the time
   that the communication takes alone, as the OSU benchmarks define it: the computation is as long as the communication;
   100 says that both together took no longer than the computation.
   overlap [--pin] TESTS KEY...    KEY is NAME/SIZE: ibarrier, ibcast, iallreduce, iallgather, ialltoall, isend */
#include "measure.h"

enum { rounds = 15 };

typedef struct {
  const char* name;
  int rank, ranks, size, tests;
  char *out, *in;
} Overlap;

static int is(const Overlap* o, const char* name) { return strncmp(o->name, name, strlen(name)) == 0; }

/* Starts it; the number of requests. */
static int start(Overlap* o, MPI_Request* requests) {
  const MPI_Comm comm = MPI_COMM_WORLD;
  if (is(o, "ibarrier")) return MPI_Ibarrier(comm, requests), 1;
  if (is(o, "ibcast")) return MPI_Ibcast(o->out, o->size, MPI_CHAR, 0, comm, requests), 1;
  if (is(o, "iallreduce")) return MPI_Iallreduce(o->out, o->in, o->size / 4, MPI_INT, MPI_SUM, comm, requests), 1;
  if (is(o, "iallgather")) return MPI_Iallgather(o->out, o->size, MPI_CHAR, o->in, o->size, MPI_CHAR, comm, requests), 1;
  if (is(o, "ialltoall")) return MPI_Ialltoall(o->out, o->size, MPI_CHAR, o->in, o->size, MPI_CHAR, comm, requests), 1;
  if (!is(o, "isend")) {
    fprintf(stderr, "overlap: there is no %s\n", o->name);
    MPI_Abort(comm, 2);
  }
  MPI_Irecv(o->in, o->size, MPI_CHAR, (o->rank + o->ranks - 1) % o->ranks, 1, comm, &requests[0]);
  MPI_Isend(o->out, o->size, MPI_CHAR, (o->rank + 1) % o->ranks, 1, comm, &requests[1]);
  return 2;
}

static volatile double sink;

/* Arithmetic that takes about so many seconds, with calls of MPI_Testall spread over it; the seconds outside of them. */
static double compute(double seconds, MPI_Request* requests, int count, int tests) {
  const double begin = MPI_Wtime();
  double testing = 0;
  int done = 0, made = 0;
  while (MPI_Wtime() - begin - testing < seconds) {
    for (int i = 0; i < 200; ++i) sink = sink * 1.0000001 + 1e-9;
    if (done || made >= tests || MPI_Wtime() - begin - testing < seconds * (made + 1) / (tests + 1)) continue;
    const double before = MPI_Wtime();
    MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE);
    testing += MPI_Wtime() - before;
    ++made;
  }
  return MPI_Wtime() - begin - testing;
}

/* Seconds of the communication with `seconds` of computation beside it; `*computed` gets those that were. */
static double once(Overlap* o, double seconds, double* computed) {
  MPI_Request requests[2];
  MPI_Barrier(MPI_COMM_WORLD);
  const double begin = MPI_Wtime();
  const int count = start(o, requests);
  *computed = seconds > 0 ? compute(seconds, requests, count, o->tests) : 0;
  MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
  return MPI_Wtime() - begin;
}

/* The middle of several, mean over the ranks. */
static double middle(Overlap* o, double seconds, double* computed) {
  double times[rounds], computing[rounds], mine[2], sums[2];
  for (int i = 0; i < rounds; ++i) times[i] = once(o, seconds, &computing[i]);
  mine[0] = median(times, rounds), mine[1] = median(computing, rounds);
  MPI_Allreduce(mine, sums, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  *computed = sums[1] / o->ranks;
  return sums[0] / o->ranks;
}

static double hidden(Overlap* o) {
  double computed;
  middle(o, 0, &computed); /* warms up */
  const double pure = middle(o, 0, &computed), total = middle(o, pure, &computed);
  const double part = 100 * (1 - (total - computed) / pure);
  return part < 0 ? 0 : part > 100 ? 100 : part;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Overlap o = {0};
  MPI_Comm_rank(MPI_COMM_WORLD, &o.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &o.ranks);
  take_pin(&argc, argv, o.rank);
  o.tests = argc > 1 ? atoi(argv[1]) : 10;
  for (int i = 2; i < argc; ++i) {
    const char* slash = strchr(argv[i], '/');
    o.name = argv[i];
    o.size = slash ? atoi(slash + 1) : 0;
    o.out = buffer_of((size_t)o.size * (size_t)o.ranks);
    o.in = buffer_of((size_t)o.size * (size_t)o.ranks);
    const double part = hidden(&o);
    if (o.rank == 0) printf("%s %.1f\n", argv[i], part);
    free(o.out);
    free(o.in);
  }
  MPI_Finalize();
}
