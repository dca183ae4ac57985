// Bandwidth: rank 0 sends windows of messages to rank 1, which answers once for each window.
#include "support/stream.hpp"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto options = perf::read_options(argc, argv, "Bandwidth between two ranks", perf::stream_defaults());
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "exactly two ranks");
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  perf::Stream stream(options.window, options.max < 4 ? 4 : options.max);
  if (rank == 0) perf::print_title("Bandwidth", "# Size      Bandwidth (MB/s)");
  perf::for_each_size(options, [&](std::size_t size) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double seconds = perf::time_rounds(options, size, [&] {
      if (rank == 0)
        stream.send(size, 1);
      else
        stream.receive(size, 0);
    });
    const double bytes = static_cast<double>(size) * options.iterations_of(size) * options.window;
    if (rank == 0) perf::print_row(size, bytes / seconds / 1e6);
  });
  MPI_Finalize();
}
