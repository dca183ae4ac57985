// Multi-pair bandwidth and message rate: the lower half of the ranks sends windows of messages to the upper half. The
// bytes of all pairs over the mean of their times.
#include "support/stream.hpp"

namespace {

struct Pair {
  int pairs, rank;
  bool takes_part() const { return rank < 2 * pairs; }
  bool sends() const { return rank < pairs; }
  int peer() const { return sends() ? rank + pairs : rank - pairs; }
};

// The mean time of the pairs, on rank 0.
double mean_seconds(const perf::Options& options, std::size_t size, const Pair& pair, perf::Stream& stream) {
  double mine = 0, sum = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  if (pair.takes_part())
    mine = perf::time_rounds(options, size, [&] {
      if (pair.sends())
        stream.send(size, pair.peer());
      else
        stream.receive(size, pair.peer());
    });
  if (!pair.sends()) mine = 0;
  MPI_Reduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  return sum / pair.pairs;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto options =
      perf::read_options(argc, argv, "Bandwidth and message rate of several pairs of ranks", perf::stream_defaults());
  const int ranks = perf::size_of(MPI_COMM_WORLD), rank = perf::rank_of(MPI_COMM_WORLD);
  const Pair pair{options.pairs ? options.pairs : ranks / 2, rank};
  perf::need_ranks(ranks >= 2 && 2 * pair.pairs <= ranks, "two ranks for each pair");
  perf::Stream stream(options.window, options.max < 4 ? 4 : options.max);
  if (rank == 0) {
    printf("# COW MPI Multiple Bandwidth / Message Rate Test\n# [ pairs: %d ] [ window size: %d ]\n", pair.pairs,
           options.window);
    printf("# Size                  MB/s        Messages/s\n");
  }
  perf::for_each_size(options, [&](std::size_t size) {
    const double seconds = mean_seconds(options, size, pair, stream);
    if (rank != 0) return;
    const double messages = static_cast<double>(pair.pairs) * options.iterations_of(size) * options.window;
    printf("%-10zu%18.2f%18.2f\n", size, messages * static_cast<double>(size) / seconds / 1e6, messages / seconds);
    fflush(stdout);
  });
  MPI_Finalize();
}
