#include "support/overlap.hpp"

int main(int argc, char** argv) {
  return perf::measure_overlap(
      argc, argv,
      {.title = "Iallreduce", .min = 4, .begin = [](const perf::CollectiveCall& call, MPI_Request* request) {
         MPI_Iallreduce(call.out, call.in, call.floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, request);
       }});
}
