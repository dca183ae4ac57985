// What it costs to get the same bits every time: reductions on two communicators, one of them with the info key
// cow_reproducible, in turn. The middle of the ratios, and of the times.
#include <algorithm>
#include <vector>

#include "support/measure.hpp"

namespace {

constexpr int rounds = 21;

double middle(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
  return values[rounds / 2];
}

MPI_Comm world(const char* reproducible) {
  MPI_Comm comm;
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_reproducible", reproducible);
  MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm);
  MPI_Info_free(&info);
  return comm;
}

struct Reduction {
  const char* name;
  void (*call)(char* out, char* in, int floats, MPI_Comm comm);
};

constexpr Reduction reductions[] = {
    {"Allreduce",
     [](char* out, char* in, int n, MPI_Comm comm) { MPI_Allreduce(out, in, n, MPI_FLOAT, MPI_SUM, comm); }},
    {"Reduce", [](char* out, char* in, int n, MPI_Comm comm) { MPI_Reduce(out, in, n, MPI_FLOAT, MPI_SUM, 0, comm); }},
    {"Reduce_scatter_block",
     [](char* out, char* in, int n, MPI_Comm comm) {
       MPI_Reduce_scatter_block(out, in, n / perf::size_of(comm), MPI_FLOAT, MPI_SUM, comm);
     }},
    {"Scan", [](char* out, char* in, int n, MPI_Comm comm) { MPI_Scan(out, in, n, MPI_FLOAT, MPI_SUM, comm); }},
};

// Microseconds a call, over all ranks.
double time_of(const Reduction& reduction, char* out, char* in, int floats, MPI_Comm comm, int times) {
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  for (int i = 0; i < times; ++i) reduction.call(out, in, floats, comm);
  const double mine = (MPI_Wtime() - start) * 1e6 / times;
  double most = 0;
  MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return most;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto options = perf::read_options(argc, argv, "Cost of reproducible reductions",
                                          {.min = 8, .max = 1 << 20, .iterations = 50, .iterations_large = 5});
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) > 1, "at least two ranks");
  perf::Buffer out(options.max, 0), in(options.max, 0);
  MPI_Comm plain = world("false"), fixed = world("true");
  const bool talks = perf::rank_of(MPI_COMM_WORLD) == 0;
  for (const Reduction& reduction : reductions) {
    if (talks)
      printf("# COW MPI Reproducible %s Test\n# Size         Fastest(us)  Reproducible(us)       Ratio\n",
             reduction.name);
    perf::for_each_size(options, [&](std::size_t size) {
      std::vector<double> fast, slow, ratio;
      for (int round = -2; round < rounds; ++round) {
        const int floats = static_cast<int>(size / sizeof(float)), times = options.iterations_of(size);
        const double a = time_of(reduction, out.data(), in.data(), floats, plain, times);
        const double b = time_of(reduction, out.data(), in.data(), floats, fixed, times);
        if (round < 0) continue;
        fast.push_back(a), slow.push_back(b), ratio.push_back(b / a);
      }
      if (talks) printf("%-10zu%16.2f%18.2f%12.2f\n", size, middle(fast), middle(slow), middle(ratio));
      fflush(stdout);
    });
  }
  MPI_Comm_free(&plain);
  MPI_Comm_free(&fixed);
  MPI_Finalize();
}
