#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(
      argc, argv, {.title = "Reduce_scatter", .min = 4, .call = [](const perf::CollectiveCall& call) {
                     MPI_Reduce_scatter(call.out, call.in, call.float_counts, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
                   }});
}
