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

struct Sending {
  double call, delivery;  // us
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What a send takes whose receiver waits. Both have something else to do between messages: what is measured is not how
// fast a cache is.
Sending measure_sending(int partner, char* buffer, std::size_t bytes, int mode) {
  constexpr int times = 9;
  const bool first = perf::rank_of(MPI_COMM_WORLD) == 0;
  const int count = static_cast<int>(bytes);
  std::vector<double> calls, deliveries;
  for (int round = -2; round < times; ++round) {
    if (!first) {
      MPI_Request request;
      MPI_Irecv(buffer, count, MPI_BYTE, 0, 0, MPI_COMM_WORLD, &request);
      MPI_Send(nullptr, 0, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
      MPI_Wait(&request, MPI_STATUS_IGNORE);
      MPI_Send(nullptr, 0, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
      continue;
    }
    for (std::size_t i = 0; i < bytes; i += 4096) buffer[i] = static_cast<char>(round);
    MPI_Recv(nullptr, 0, MPI_BYTE, partner, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    usleep(1000 + static_cast<useconds_t>(bytes / 10000));  // the last snapshot ends
    const double start = MPI_Wtime();
    MPIX_Send_mode(buffer, count, MPI_BYTE, partner, 0, MPI_COMM_WORLD, mode);
    const double called = MPI_Wtime();
    MPI_Recv(nullptr, 0, MPI_BYTE, partner, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (round < 0) continue;
    calls.push_back((called - start) * 1e6);
    deliveries.push_back((MPI_Wtime() - start) * 1e6);
  }
  return first ? Sending{median(calls), median(deliveries)} : Sending{};
}

double resident_bytes() {
  long pages = 0;
  FILE* const file = fopen("/proc/self/statm", "re");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct Keeping {
  double large = 0, keep = 0, fresh = 0, snapshot = 0, resident = 0, kept = 0;
};

// What sends of large messages cost: by copies small enough for memory to be at hand and too large for that, and by
// snapshots of a small process and of one with much memory.
Keeping measure_keeping(int partner) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  constexpr std::size_t least = 1 << 20, usual = 8 << 20, most = 64 << 20, much = 256 << 20;
  constexpr auto bytes = static_cast<double>(usual);
  Keeping out;
  if (rank == 0 || rank == partner) {
    perf::Buffer buffer(most);
    const auto measure = [&](std::size_t size, int mode) {
      return measure_sending(partner, buffer.data(), size, mode);
    };
    out.large = measure(usual, MPIX_SEND_NOTIFY).delivery / bytes;
    out.keep = measure(usual, MPIX_SEND_COPY).call / bytes;
    out.fresh = measure(most, MPIX_SEND_COPY).call / static_cast<double>(most);
    const double small = resident_bytes();
    const Sending few = measure(least, MPIX_SEND_COW), many = measure(usual, MPIX_SEND_COW);
    out.kept = (many.delivery - many.call) / bytes;
    perf::Buffer ballast(much);
    out.resident = std::max(0.0, measure(least, MPIX_SEND_COW).call - few.call) / static_cast<double>(much);
    out.snapshot = std::max(few.call / 2, few.call - out.resident * small);
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

// A barrier of two ranks of a node, which after some is one cache line each way, both at once.
double measure_line(int partner) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  const bool takes_part = rank == 0 || rank == partner;
  constexpr int times = 200;
  MPI_Comm pair;
  MPI_Comm_split(MPI_COMM_WORLD, takes_part ? 0 : MPI_UNDEFINED, rank, &pair);
  std::vector<double> seen{0};
  for (int round = -3; takes_part && round < rounds; ++round) {
    const double start = MPI_Wtime();
    for (int i = 0; i < times; ++i) MPI_Barrier(pair);
    if (round == 0) seen.clear();
    seen.push_back((MPI_Wtime() - start) * 1e6 / times);
  }
  if (takes_part) MPI_Comm_free(&pair);
  MPI_Barrier(MPI_COMM_WORLD);
  return *std::min_element(seen.begin(), seen.end());
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
    const double cache_line = measure_line(near);
    if (talks) printf("node_line = %.3f  # a cache line from one rank of a node to another\n", cache_line);
  }
  if (far > 0) {
    const Line line = measure_pair(far, buffer.data());
    if (talks) printf("alpha = %.3f  # a small message between nodes\n", line.alpha);
    if (talks) printf("beta = %.7f  # a byte of it\n", line.beta);
  }
  if (const int partner = near > 0 ? near : far; partner > 0) {
    const Keeping keeping = measure_keeping(partner);
    if (talks && near > 0)
      printf("node_large = %.7f  # a byte of a message of many MiB inside a node\n", keeping.large);
    if (talks)
      printf(
          "keep = %.7f  # a byte that is copied into memory which is at hand\n"
          "fresh = %.7f  # a byte that is copied into fresh memory\n"
          "snapshot = %.1f  # a snapshot of a process\nresident = %.9f  # for each byte that is in its memory\n"
          "kept = %.7f  # reading a byte of a snapshot\n",
          keeping.keep, keeping.fresh, keeping.snapshot, keeping.resident,
          near > 0 ? keeping.kept : std::max(0.0, keeping.kept - keeping.large));
  }
  if (talks) {
    constexpr std::size_t bytes = 256 * 1024;
    const double reduced = each_byte(
        bytes, [&] { MPI_Reduce_local(buffer.data(), other.data(), bytes / sizeof(float), MPI_FLOAT, MPI_MAX); });
    const double copied = each_byte(bytes, [&] { memcpy(other.data(), buffer.data(), bytes); });
    printf("gamma = %.7f  # reducing a byte\ncopy = %.7f  # copying a byte\n", reduced, copied);
  }
  MPI_Finalize();
}
