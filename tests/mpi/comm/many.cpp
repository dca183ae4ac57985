// Communicators do not run out: rounds of dup and free, many alive at once, groups that overlap, many idups in flight mixed
// with broadcasts. Arguments: rounds, alive, in flight.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                        \
    }                                                                 \
  } while (false)

namespace {

int me, n;

// Pages that are in memory now, in KiB.
long resident() {
  FILE* file = fopen("/proc/self/statm", "r");
  long size = 0, pages = 0;
  if (file && fscanf(file, "%ld %ld", &size, &pages) != 2) pages = 0;
  if (file) fclose(file);
  return pages * 4;
}

void check_alive(MPI_Comm comm) {
  int sum = -1;
  CHECK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm) == MPI_SUCCESS);
  CHECK(sum == n * (n - 1) / 2);
}

// Flat: after a tenth of the rounds nothing grows any more.
void dup_and_free(long rounds) {
  long early = 0;
  for (long i = 0; i < rounds; ++i) {
    MPI_Comm comm;
    CHECK(MPI_Comm_dup(MPI_COMM_WORLD, &comm) == MPI_SUCCESS);
    if (i % 1000 == 0) check_alive(comm);
    CHECK(MPI_Comm_free(&comm) == MPI_SUCCESS);
    if (i == rounds / 10) early = resident();
  }
  const long grown = resident() - early;
  if (grown >= 4096) fprintf(stderr, "rank %d has grown by %ld KiB in %ld rounds\n", me, grown, rounds - rounds / 10);
  CHECK(grown < 4096);
}

void many_alive(int count) {
  std::vector<MPI_Comm> comms(static_cast<std::size_t>(count));
  for (MPI_Comm& comm : comms) CHECK(MPI_Comm_dup(MPI_COMM_WORLD, &comm) == MPI_SUCCESS);
  for (std::size_t i = 0; i < comms.size(); i += comms.size() / 10 + 1) check_alive(comms[i]);
  check_alive(comms.back());
  for (std::size_t i = comms.size(); i-- > 0;) CHECK(MPI_Comm_free(&comms[i]) == MPI_SUCCESS);
}

// Each rank has made other communicators than the others when one of all is wanted.
void overlapping_groups() {
  MPI_Group world;
  CHECK(MPI_Comm_group(MPI_COMM_WORLD, &world) == MPI_SUCCESS);
  std::vector<MPI_Comm> comms;
  for (int first = 0; first < n; ++first) {
    const int members[2] = {first, (first + 1) % n};
    if (n < 2 || (me != members[0] && me != members[1])) continue;
    for (int i = 0; i <= first; ++i) {
      MPI_Group pair;
      MPI_Comm comm;
      CHECK(MPI_Group_incl(world, 2, members, &pair) == MPI_SUCCESS);
      CHECK(MPI_Comm_create_group(MPI_COMM_WORLD, pair, first, &comm) == MPI_SUCCESS);
      CHECK(MPI_Group_free(&pair) == MPI_SUCCESS);
      comms.push_back(comm);
    }
  }
  MPI_Comm all;
  CHECK(MPI_Comm_dup(MPI_COMM_WORLD, &all) == MPI_SUCCESS);
  check_alive(all);
  CHECK(MPI_Comm_free(&all) == MPI_SUCCESS);
  for (MPI_Comm& comm : comms) CHECK(MPI_Comm_free(&comm) == MPI_SUCCESS);
  CHECK(MPI_Group_free(&world) == MPI_SUCCESS);
}

void idups_in_flight(int count) {
  const auto size = static_cast<std::size_t>(count);
  std::vector<MPI_Comm> comms(size);
  std::vector<int> values(size);
  std::vector<MPI_Request> requests;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    MPI_Request request;
    CHECK(MPI_Comm_idup(MPI_COMM_WORLD, &comms[at], &request) == MPI_SUCCESS);
    requests.push_back(request);
    values[at] = me == i % n ? i : -1;
    CHECK(MPI_Ibcast(&values[at], 1, MPI_INT, i % n, MPI_COMM_WORLD, &request) == MPI_SUCCESS);
    requests.push_back(request);
  }
  CHECK(MPI_Waitall(2 * count, requests.data(), MPI_STATUSES_IGNORE) == MPI_SUCCESS);
  for (int i = 0; i < count; ++i) CHECK(values[static_cast<std::size_t>(i)] == i);
  for (MPI_Comm& comm : comms) check_alive(comm);
  for (MPI_Comm& comm : comms) CHECK(MPI_Comm_free(&comm) == MPI_SUCCESS);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &me);
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  CHECK(argc == 4);
  dup_and_free(atol(argv[1]));
  many_alive(atoi(argv[2]));
  overlapping_groups();
  idups_in_flight(atoi(argv[3]));
  MPI_Finalize();
  return 0;
}
