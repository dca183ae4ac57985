#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(
      argc, argv, {.title = "Gatherv", .in = perf::Room::block_per_rank, .call = [](const perf::CollectiveCall& call) {
                     MPI_Gatherv(call.out, call.size, MPI_CHAR, call.in, call.counts, call.displacements, MPI_CHAR, 0,
                                 MPI_COMM_WORLD);
                   }});
}
