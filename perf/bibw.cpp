// Bidirectional bandwidth: two ranks send windows of messages to each other at the same time; both directions added.
#include "support/stream.hpp"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto options = perf::read_options(argc, argv, "Bandwidth in both directions", perf::stream_defaults());
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "exactly two ranks");
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  perf::Stream stream(options.window, options.max < 4 ? 4 : options.max);
  if (rank == 0) perf::print_title("Bi-Directional Bandwidth", "# Size      Bandwidth (MB/s)");
  perf::for_each_size(options, [&](std::size_t size) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double seconds = perf::time_rounds(options, size, [&] { stream.exchange(size, 1 - rank, rank == 0); });
    const double bytes = 2.0 * static_cast<double>(size) * options.iterations_of(size) * options.window;
    if (rank == 0) perf::print_row(size, bytes / seconds / 1e6);
  });
  MPI_Finalize();
}
