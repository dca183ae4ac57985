#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(argc, argv,
                                  {.title = "Barrier",
                                   .out = perf::Room::none,
                                   .in = perf::Room::none,
                                   .min = 0,
                                   .has_size = false,
                                   .call = [](const perf::CollectiveCall&) { MPI_Barrier(MPI_COMM_WORLD); }});
}
