#include "support/collective.hpp"

#include <vector>

#include "support/measure.hpp"

namespace perf {
namespace {

struct Timing {  // microseconds, over the ranks
  double mean, min, max;
};

std::size_t room(Room room, std::size_t size, int ranks) {
  switch (room) {
    case Room::none: return 0;
    case Room::one_block: return size;
    default: return size * static_cast<std::size_t>(ranks);
  }
}

// The arrays that the v-variants take, made for one size.
struct Blocks {
  Blocks(std::size_t size, int ranks) : counts(ranks, static_cast<int>(size)), displacements(ranks), floats(ranks) {
    const int total = static_cast<int>(size / sizeof(float));
    for (int i = 0; i < ranks; ++i) {
      displacements[i] = static_cast<int>(size) * i;
      floats[i] = total / ranks + (i < total % ranks ? 1 : 0);
    }
  }
  std::vector<int> counts, displacements, floats;
};

// Each call is timed for itself, with a barrier between them, so that no rank runs ahead.
double mean_time(const Collective& collective, const CollectiveCall& call, int warmup, int iterations) {
  double sum = 0;
  for (int i = 0; i < warmup + iterations; ++i) {
    const double start = MPI_Wtime();
    collective.call(call);
    if (i >= warmup) sum += MPI_Wtime() - start;
    MPI_Barrier(MPI_COMM_WORLD);
  }
  return sum * 1e6 / iterations;
}

Timing over_ranks(double mine, int ranks) {
  Timing timing{};
  MPI_Reduce(&mine, &timing.min, 1, MPI_DOUBLE, MPI_MIN, 0, MPI_COMM_WORLD);
  MPI_Reduce(&mine, &timing.max, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  MPI_Reduce(&mine, &timing.mean, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  timing.mean /= ranks;
  return timing;
}

void print_header(const Collective& collective, bool full) {
  printf("# COW MPI %s Latency Test\n", collective.title);
  printf(collective.has_size ? "# Size       Avg Latency(us)" : "# Avg Latency(us)");
  if (full) printf("   Min Latency(us)   Max Latency(us)  Iterations");
  printf("\n");
  fflush(stdout);
}

void print_line(const Collective& collective, std::size_t size, const Timing& timing, int iterations, bool full) {
  if (collective.has_size)
    printf("%-10zu%18.2f", size, timing.mean);
  else
    printf("%17.2f", timing.mean);
  if (full) printf("%18.2f%18.2f%12d", timing.min, timing.max, iterations);
  printf("\n");
  fflush(stdout);
}

}  // namespace

int measure_collective(int argc, char** argv, const Collective& collective) {
  MPI_Init(&argc, &argv);
  const std::size_t largest = collective.has_size ? 1 << 20 : 0;
  auto options = read_options(argc, argv, collective.title,
                              {.min = collective.min,
                               .max = largest,
                               .iterations = 1'000,
                               .iterations_large = 100,
                               .warmup = 100,
                               .warmup_large = 10});
  if (options.min < collective.min) options.min = collective.min;
  if (!collective.has_size) options.min = options.max = 0;
  const int ranks = size_of(MPI_COMM_WORLD), rank = rank_of(MPI_COMM_WORLD);
  need_ranks(ranks > 1, "at least two ranks");
  Buffer out(room(collective.out, options.max, ranks)), in(room(collective.in, options.max, ranks), 'b');
  if (rank == 0) print_header(collective, options.full);
  for_each_size(options, [&](std::size_t size) {
    if (!collective.has_size && size) return;
    const Blocks blocks(size, ranks);
    const CollectiveCall call{.out = out.data(),
                              .in = in.data(),
                              .size = static_cast<int>(size),
                              .floats = static_cast<int>(size / sizeof(float)),
                              .counts = blocks.counts.data(),
                              .displacements = blocks.displacements.data(),
                              .float_counts = blocks.floats.data(),
                              .rank = rank};
    const double mine = mean_time(collective, call, options.warmup_of(size), options.iterations_of(size));
    const Timing timing = over_ranks(mine, ranks);
    if (rank == 0) print_line(collective, size, timing, options.iterations_of(size), options.full);
  });
  MPI_Finalize();
  return 0;
}

}  // namespace perf
