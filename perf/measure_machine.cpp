// Measures the machine and prints the file that COW_MACHINE names: the numbers by which algorithms of collectives, and ways
// to give the buffer of a send back, are chosen. To be run with two ranks on one node, and better with two on each of two nodes:
//
//   mpirun -n 2 measure_machine > machine
//   COW_MACHINE=machine mpirun -n 4 ./program
#include <mpix.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "support/measure.hpp"

namespace {

constexpr int rounds = 15;
constexpr std::size_t large = 1 << 20;

// One way between this rank and `peer`, in microseconds: the best of some rounds, since others may use the machine too. `first` sends first.
double one_way(int peer, bool first, char* buffer, std::size_t bytes, int times) {
  std::vector<double> seen;
  const int count = static_cast<int>(bytes);
  for (int round = -3; round < rounds; ++round) {
    const double start = MPI_Wtime();
    for (int i = 0; i < times; ++i) {
      if (first) MPI_Send(buffer, count, MPI_BYTE, peer, 0, MPI_COMM_WORLD);
      MPI_Recv(buffer, count, MPI_BYTE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      if (!first) MPI_Send(buffer, count, MPI_BYTE, peer, 0, MPI_COMM_WORLD);
    }
    if (round >= 0) seen.push_back((MPI_Wtime() - start) * 1e6 / times / 2);
  }
  return *std::min_element(seen.begin(), seen.end());
}

// The same for work of this rank alone, for each byte.
template <class Body>
double each_byte(std::size_t bytes, Body body) {
  std::vector<double> seen;
  for (int round = -3; round < rounds; ++round) {
    const double start = MPI_Wtime();
    body();
    if (round >= 0) seen.push_back((MPI_Wtime() - start) * 1e6 / static_cast<double>(bytes));
  }
  return *std::min_element(seen.begin(), seen.end());
}

// How long rank 0 is in a send that nobody receives yet, in microseconds.
double held_up(int partner, char* buffer, std::size_t bytes, int mode) {
  const bool first = perf::rank_of(MPI_COMM_WORLD) == 0;
  const int count = static_cast<int>(bytes);
  std::vector<double> seen;
  for (int round = -3; round < rounds; ++round) {
    const double start = MPI_Wtime();
    if (first) MPIX_Send_mode(buffer, count, MPI_BYTE, partner, 0, MPI_COMM_WORLD, mode);
    if (round >= 0) seen.push_back((MPI_Wtime() - start) * 1e6);
    // Only then does the partner receive; and rank 0 goes on when it has.
    if (first) {
      MPI_Send(nullptr, 0, MPI_BYTE, partner, 1, MPI_COMM_WORLD);
      MPI_Recv(nullptr, 0, MPI_BYTE, partner, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(nullptr, 0, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Recv(buffer, count, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(nullptr, 0, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    }
  }
  return *std::min_element(seen.begin(), seen.end());
}

double resident_bytes() {
  long pages = 0;
  FILE* const file = fopen("/proc/self/statm", "re");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct Keeping {
  double keep = 0, snapshot = 0, resident = 0;
};

// What copies and snapshots of messages cost: the latter in a small process, and in one with much memory.
Keeping measure_keeping(int partner) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  constexpr std::size_t copied = 16 << 20, least = 2 << 20, much = 256 << 20;
  Keeping out;
  if (rank == 0 || rank == partner) {
    perf::Buffer buffer(copied);
    out.keep = held_up(partner, buffer.data(), copied, MPIX_SEND_COPY) / static_cast<double>(copied);
    const double before = resident_bytes();
    const double in_small = held_up(partner, buffer.data(), least, MPIX_SEND_COW);
    perf::Buffer ballast(much);
    const double in_large = held_up(partner, buffer.data(), least, MPIX_SEND_COW);
    out.resident = std::max(0.0, in_large - in_small) / static_cast<double>(much);
    out.snapshot = std::max(1.0, in_small - out.resident * before);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  return out;
}

struct Line {
  double alpha, beta;
};

// What rank 0 measures with a partner; others take part only if they are it.
Line measure_pair(int partner, char* buffer) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  Line out{};
  if (rank == 0 || rank == partner) {
    const int peer = rank == 0 ? partner : 0;
    out.alpha = one_way(peer, rank == 0, buffer, 8, 100);
    const double whole = one_way(peer, rank == 0, buffer, large, 4);
    out.beta = std::max(0.0, whole - out.alpha) / large;
  }
  MPI_Barrier(MPI_COMM_WORLD);
  return out;
}

// The first other rank on rank 0's node, and the first on another; -1 where there is none.
void find_partners(int& near, int& far) {
  MPI_Comm node;
  int first = perf::rank_of(MPI_COMM_WORLD);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Bcast(&first, 1, MPI_INT, 0, node);
  MPI_Comm_free(&node);
  std::vector<int> firsts(static_cast<std::size_t>(perf::size_of(MPI_COMM_WORLD)));
  MPI_Allgather(&first, 1, MPI_INT, firsts.data(), 1, MPI_INT, MPI_COMM_WORLD);
  near = far = -1;
  for (int r = static_cast<int>(firsts.size()) - 1; r > 0; --r)
    (firsts[static_cast<std::size_t>(r)] == 0 ? near : far) = r;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) > 1, "at least two ranks");
  perf::Buffer buffer(large), other(large);
  int near, far;
  find_partners(near, far);
  const bool talks = perf::rank_of(MPI_COMM_WORLD) == 0;
  if (talks) printf("# Measured by measure_machine. Times in microseconds, or microseconds a byte.\n");
  if (near > 0) {
    const Line line = measure_pair(near, buffer.data());
    if (talks) printf("node_alpha = %.3f  # a small message inside a node\n", line.alpha);
    if (talks) printf("node_beta = %.7f  # a byte of it\n", line.beta);
  }
  if (far > 0) {
    const Line line = measure_pair(far, buffer.data());
    if (talks) printf("alpha = %.3f  # a small message between nodes\n", line.alpha);
    if (talks) printf("beta = %.7f  # a byte of it\n", line.beta);
  }
  if (const int partner = near > 0 ? near : far; partner > 0) {
    const Keeping keeping = measure_keeping(partner);
    if (talks)
      printf("keep = %.7f  # a byte of a message that is copied\n"
             "snapshot = %.1f  # a snapshot of a process\nresident = %.9f  # for each byte that is in its memory\n",
             keeping.keep, keeping.snapshot, keeping.resident);
  }
  if (talks) {
    constexpr std::size_t bytes = 256 * 1024;
    const double reduced = each_byte(bytes, [&] {
      MPI_Reduce_local(buffer.data(), other.data(), bytes / sizeof(float), MPI_FLOAT, MPI_MAX);
    });
    const double copied = each_byte(bytes, [&] { memcpy(other.data(), buffer.data(), bytes); });
    printf("gamma = %.7f  # reducing a byte\ncopy = %.7f  # copying a byte\n", reduced, copied);
  }
  MPI_Finalize();
}
