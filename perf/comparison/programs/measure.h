/* What the compared programs share. They are plain C and plain MPI, so that every library's mpicc takes them. Each prints
   lines "KEY VALUE" on rank 0 and nothing else; the script that runs them knows the units. */
#ifndef COMPARISON_MEASURE_H
#define COMPARISON_MEASURE_H

#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Page-aligned, and touched, so that no measurement pays for the first use of a page. */
static inline char* buffer_of(size_t size) {
  void* memory = NULL;
  if (posix_memalign(&memory, 4096, size + 4096) != 0) {
    fprintf(stderr, "no memory for a buffer of %zu bytes\n", size);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  memset(memory, 'a', size + 4096);
  return memory;
}

/* The core that the caller stays on: the `index`-th that it may use. */
static inline void pin(int index) {
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) == 0) return;
  index %= CPU_COUNT(&all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all) || index-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

/* Some launchers bind each rank to a core and others do not: --pin makes it the same with all. */
static inline int take_pin(int* argc, char** argv, int rank) {
  if (*argc < 2 || strcmp(argv[1], "--pin") != 0) return 0;
  pin(rank);
  memmove(argv + 1, argv + 2, sizeof(char*) * (size_t)(*argc - 1));
  --*argc;
  return 1;
}

/* --on CPU: all ranks there, also where the launcher has bound them elsewhere, as Open MPI's does even under taskset. */
static inline void take_on(int* argc, char** argv) {
  if (*argc < 3 || strcmp(argv[1], "--on") != 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(atoi(argv[2]), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) perror("--on");
  memmove(argv + 1, argv + 3, sizeof(char*) * (size_t)(*argc - 2));
  *argc -= 2;
}

static inline int compare_doubles(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static inline double median(double* values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* How the batches of one measurement become one figure. Two ranks with a core each are timed in short batches and the
   quietest counts: whatever else the machine does can only lengthen one. Where ranks share cores, the scheduler belongs
   to what is measured: long batches, and their median. */
typedef struct {
  double batch; /* seconds that one batch of calls shall take, about */
  double most;  /* seconds after which no further batch is begun */
  int batches;
  int quietest; /* or the median */
} Manner;

static const Manner own_cores = {0.5e-3, 0.1, 40, 1}, shared_cores = {10e-3, 0.2, 9, 0};
enum { most_batches = 40 };

typedef void (*Call)(void* context); /* what every rank of MPI_COMM_WORLD calls, again and again */

/* How often this process has been switched away from a processor: by sleeping, by sched_yield, or for others' sake. */
static inline long switches(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_nvcsw + used.ru_nivcsw;
}

/* The time of the slowest rank. This process's switches meanwhile are added to `*switched`. */
static inline double batch_of(Call call, void* context, long calls, long* switched) {
  MPI_Barrier(MPI_COMM_WORLD);
  *switched -= switches();
  const double start = MPI_Wtime();
  for (long i = 0; i < calls; ++i) call(context);
  double mine = MPI_Wtime() - start, slowest = 0;
  *switched += switches();
  MPI_Allreduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return slowest;
}

typedef struct {
  double microseconds; /* the same on all ranks */
  double switches;     /* of this process, mean over all the batches that were timed */
} PerCall;

/* What one call takes. Each batch is timed as a whole and by its slowest rank. The number of calls in a batch grows
   until it is long enough, which also warms up; so a slow library takes as long as a fast one. All ranks see the same
   times, and so decide alike. */
static inline PerCall per_call(Call call, void* context, const Manner* manner) {
  long calls = 1, switched = 0;
  double spent = 0, times[most_batches];
  for (;;) {
    double shortest = 1e9;
    for (int i = 0; i < 3 && shortest > manner->batch; ++i) { /* one batch may have been disturbed */
      const double took = batch_of(call, context, calls, &switched);
      if (took < shortest) shortest = took;
      spent += took;
    }
    if (shortest > manner->batch / 2 || spent > manner->most) break;
    calls *= shortest < manner->batch / 16 ? 8 : 2;
  }
  int count = 0;
  switched = 0;
  for (spent = 0; count < manner->batches && (count == 0 || spent < manner->most); ++count) {
    const double took = batch_of(call, context, calls, &switched);
    spent += took;
    times[count] = took * 1e6 / (double)calls;
  }
  const double middle = median(times, count); /* sorts them */
  return (PerCall){manner->quietest ? times[0] : middle, (double)switched / ((double)count * (double)calls)};
}

static inline double microseconds_of(Call call, void* context, const Manner* manner) {
  return per_call(call, context, manner).microseconds;
}

#endif
