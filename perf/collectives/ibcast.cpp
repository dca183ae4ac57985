#include "support/overlap.hpp"

int main(int argc, char** argv) {
  return perf::measure_overlap(
      argc, argv,
      {.title = "Ibcast", .out = perf::Room::none, .begin = [](const perf::CollectiveCall& call, MPI_Request* request) {
         MPI_Ibcast(call.in, call.size, MPI_BYTE, 0, MPI_COMM_WORLD, request);
       }});
}
