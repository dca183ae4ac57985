#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(argc, argv,
                                  {.title = "Reduce", .min = 4, .call = [](const perf::CollectiveCall& call) {
                                     MPI_Reduce(call.out, call.in, call.floats, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
                                   }});
}
