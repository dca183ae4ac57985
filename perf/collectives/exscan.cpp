#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(argc, argv,
                                  {.title = "Exscan", .min = 4, .call = [](const perf::CollectiveCall& call) {
                                     MPI_Exscan(call.out, call.in, call.floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
                                   }});
}
