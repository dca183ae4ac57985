#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(
      argc, argv,
      {.title = "Scatterv", .out = perf::Room::block_per_rank, .call = [](const perf::CollectiveCall& call) {
         MPI_Scatterv(call.out, call.counts, call.displacements, MPI_CHAR, call.in, call.size, MPI_CHAR, 0,
                      MPI_COMM_WORLD);
       }});
}
