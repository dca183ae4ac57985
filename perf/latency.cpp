// Latency: two ranks throw one message back and forth; half a round trip, for each size.
#include "support/measure.hpp"

namespace {

double half_round_trip(std::size_t size, int rank, const perf::Options& options, char* out, char* in) {
  const int count = static_cast<int>(size);
  const int warmup = options.warmup_of(size), iterations = options.iterations_of(size);
  double start = 0;
  for (int i = 0; i < warmup + iterations; ++i) {
    if (i == warmup) start = MPI_Wtime();
    if (rank == 0) {
      MPI_Send(out, count, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
      MPI_Recv(in, count, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(in, count, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(out, count, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
    }
  }
  return (MPI_Wtime() - start) * 1e6 / (2.0 * iterations);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto options = perf::read_options(
      argc, argv, "Latency between two ranks",
      {.min = 0, .max = 4 << 20, .iterations = 10'000, .iterations_large = 1'000, .warmup = 100, .warmup_large = 10});
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "exactly two ranks");
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  perf::Buffer out(options.max), in(options.max, 'b');
  if (rank == 0) perf::print_title("Latency", "# Size          Latency (us)");
  perf::for_each_size(options, [&](std::size_t size) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double latency = half_round_trip(size, rank, options, out.data(), in.data());
    if (rank == 0) perf::print_row(size, latency);
  });
  MPI_Finalize();
}
