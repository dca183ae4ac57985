/* Two ranks send half a gibibyte at each other before either receives, and overwrite the buffer at once: under each mode
 * that gives it back, and again under `auto` when that is used to receivers that wait. Under copy-on-write, with a buffer
 * that is not touched, neither takes more memory for it than page tables. With an argument it prints what it took. */
#include <math.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const long size = 512L << 20;

/* MiB of a process's own share of memory; 0 when it is gone. */
static double share_of(const char *process) {
  char path[64], line[256];
  long value = 0;
  snprintf(path, sizeof path, "/proc/%s/smaps_rollup", process);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Pss: %ld", &value) == 1) break;
  if (file) fclose(file);
  return value / 1024.0;
}

/* Of this process and those that keep its messages: its children, which nobody else has made. Nothing when one of them
 * comes, goes or lets go of memory meanwhile, so that this process's own share is no longer the same afterwards. */
static double memory(void) {
  char path[64], child[32];
  double sum = 0;
  const double own = share_of("self");
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *children = fopen(path, "r");
  while (children && fscanf(children, "%31s", child) == 1) sum += share_of(child);
  if (children) fclose(children);
  const double again = share_of("self");
  return fabs(again - own) < 4 ? sum + own : 0;
}

/* The most of it, looked at all the time while the thread runs. */
static volatile int watching;
static double most;
static void *watch(void *unused) {
  (void)unused;
  while (watching) {
    const double now = memory();
    if (now > most) most = now;
    usleep(5000);
  }
  return NULL;
}

static void complain(int rank, const char *mode, const char *what, double value) {
  printf("rank %d, %s: %s %g\n", rank, mode, what, value);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

/* In pieces through a small buffer, so that what is measured is not the receive buffer. */
static void receive(int other, MPI_Comm comm, char *in, int rank, const char *mode, char expected) {
  MPI_Recv_c(in, size, MPI_CHAR, other, 0, comm, MPI_STATUS_IGNORE);
  for (long i = 0; i < size; ++i)
    if (in[i] != expected) complain(rank, mode, "wrong byte at", (double)i);
}

static MPI_Comm with_mode(const char *mode) {
  MPI_Info info;
  MPI_Comm comm;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_send_mode", mode);
  MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm);
  MPI_Info_free(&info);
  return comm;
}

/* Each sends to a receiver that waits, and waits for the answer. */
static void get_used_to_answers(int rank, char *out, char *in, MPI_Comm comm) {
  const int some = 4 << 20;
  for (int i = 0; i < 24; ++i) {
    MPI_Request request;
    MPI_Irecv(in, some, MPI_CHAR, 1 - rank, 0, comm, &request);
    MPI_Barrier(comm);
    MPI_Send(out, some, MPI_CHAR, 1 - rank, 0, comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  char *out = malloc(size), *in = malloc(size);
  memset(in, 0, size);
  const char *modes[] = {"copy", "cow", "auto", "auto"};
  const int count = 4;
  for (int i = 0; i < count; ++i) {
    MPI_Comm comm = with_mode(modes[i]);
    if (i == 3) get_used_to_answers(rank, out, in, comm);
    memset(out, 'a' + i, size);
    MPI_Barrier(comm);
    const double start = MPI_Wtime();
    MPI_Send_c(out, size, MPI_CHAR, 1 - rank, 0, comm);
    const double took = 1e3 * (MPI_Wtime() - start);
    if (argc > 1) printf("rank %d, %s%s: %.0f ms in MPI_Send\n", rank, modes[i], i == 3 ? ", used to answers" : "", took);
    memset(out, 'z', size);
    MPI_Barrier(comm);
    receive(1 - rank, comm, in, rank, modes[i], (char)('a' + i));
    if (i == 1) { /* again, untouched */
      pthread_t watcher;
      MPI_Barrier(comm);
      const double before = most = memory();
      watching = 1;
      if (pthread_create(&watcher, NULL, watch, NULL) != 0) complain(rank, modes[i], "no thread", 0);
      MPI_Send_c(out, size, MPI_CHAR, 1 - rank, 0, comm);
      MPI_Barrier(comm);
      receive(1 - rank, comm, in, rank, modes[i], 'z');
      MPI_Barrier(comm);
      watching = 0;
      pthread_join(watcher, NULL);
      if (most - before > 32) complain(rank, modes[i], "MiB more in memory:", most - before);
      if (argc > 1) printf("rank %d: %.1f MiB more in memory\n", rank, most - before);
    }
    MPI_Comm_free(&comm);
  }
  free(in);
  free(out);
  MPI_Finalize();
  return 0;
}
