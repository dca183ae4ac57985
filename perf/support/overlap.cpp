#include "support/overlap.hpp"

#include <algorithm>
#include <vector>

#include "support/measure.hpp"

namespace perf {
namespace {

// Computing: a chain of multiplications that no compiler leaves out.
class Work {
 public:
  // Loops for each microsecond, the fastest of some tries.
  Work() {
    constexpr long loops = 200'000;
    double best = 1e9;
    for (int i = 0; i < 10; ++i) {
      const double start = MPI_Wtime();
      run(loops);
      best = std::min(best, MPI_Wtime() - start);
    }
    per_us_ = loops / (best * 1e6);
  }
  void run(long loops) {
    double x = value_;
    for (long i = 0; i < loops; ++i) x = x * 1.0000001 + 1e-9;
    value_ = x;
  }
  // Computes for so long, testing a request, if given, after each tenth.
  void compute(double us, MPI_Request* request) {
    int done = 0;
    for (int i = 0; i < 10; ++i) {
      run(static_cast<long>(us * per_us_ / 10));
      if (request) MPI_Test(request, &done, MPI_STATUS_IGNORE);
    }
  }

 private:
  double per_us_ = 1;
  volatile double value_ = 1;
};

double microseconds_since(double start) { return (MPI_Wtime() - start) * 1e6; }

double mean_over_ranks(double mine) {
  double sum = 0;
  MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return sum / size_of(MPI_COMM_WORLD);
}

// The mean time of a body, over iterations and ranks, with a barrier before each.
template <class Body>
double mean_time(int warmup, int iterations, Body body) {
  double sum = 0;
  for (int i = 0; i < warmup + iterations; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    body();
    if (i >= warmup) sum += microseconds_since(start);
  }
  return mean_over_ranks(sum / iterations);
}

Options options_for(int argc, char** argv, const Nonblocking& collective) {
  const std::size_t largest = collective.has_size ? 1 << 20 : 0;
  auto options = read_options(argc, argv, collective.title,
                              {.min = collective.min,
                               .max = largest,
                               .iterations = 300,
                               .iterations_large = 50,
                               .warmup = 20,
                               .warmup_large = 5});
  if (options.min < collective.min) options.min = collective.min;
  if (!collective.has_size) options.min = options.max = 0;
  return options;
}

struct Times {
  double pure, compute, overall;  // the collective alone, as much computing alone, and one in the other

  double overlap() const { return std::clamp(100 * (1 - (overall - compute) / pure), 0.0, 100.0); }  // percent
};

Times measure(const Nonblocking& collective, const CollectiveCall& call, Work& work, int warmup, int iterations) {
  MPI_Request request = MPI_REQUEST_NULL;
  Times times{};
  times.pure = mean_time(warmup, iterations, [&] {
    collective.begin(call, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  });
  times.compute = mean_time(warmup, iterations, [&] { work.compute(times.pure, nullptr); });
  times.overall = mean_time(warmup, iterations, [&] {
    collective.begin(call, &request);
    work.compute(times.pure, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  });
  return times;
}

}  // namespace

int measure_overlap(int argc, char** argv, const Nonblocking& collective) {
  MPI_Init(&argc, &argv);
  const Options options = options_for(argc, argv, collective);
  const int ranks = size_of(MPI_COMM_WORLD), rank = rank_of(MPI_COMM_WORLD);
  need_ranks(ranks > 1, "at least two ranks");
  const auto room = [&](Room kind) {
    return kind == Room::none ? 0 : options.max * static_cast<std::size_t>(kind == Room::one_block ? 1 : ranks);
  };
  Buffer out(room(collective.out)), in(room(collective.in), 'b');
  Work work;
  if (rank == 0) {
    printf("# COW MPI %s Overlap Test\n", collective.title);
    printf("# Size        Overall(us)       Compute(us)    Pure Comm.(us)        Overlap(%%)\n");
  }
  for_each_size(options, [&](std::size_t size) {
    if (!collective.has_size && size) return;
    const CollectiveCall call{.out = out.data(),
                              .in = in.data(),
                              .size = static_cast<int>(size),
                              .floats = static_cast<int>(size / sizeof(float)),
                              .counts = nullptr,
                              .displacements = nullptr,
                              .float_counts = nullptr,
                              .rank = rank};
    const Times t = measure(collective, call, work, options.warmup_of(size), options.iterations_of(size));
    if (rank != 0) return;
    printf("%-10zu%15.2f%18.2f%18.2f%18.2f\n", size, t.overall, t.compute, t.pure, t.overlap());
    fflush(stdout);
  });
  MPI_Finalize();
  return 0;
}

}  // namespace perf
