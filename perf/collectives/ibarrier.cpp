#include "support/overlap.hpp"

int main(int argc, char** argv) {
  return perf::measure_overlap(
      argc, argv,
      {.title = "Ibarrier",
       .out = perf::Room::none,
       .in = perf::Room::none,
       .min = 0,
       .has_size = false,
       .begin = [](const perf::CollectiveCall&, MPI_Request* request) { MPI_Ibarrier(MPI_COMM_WORLD, request); }});
}
