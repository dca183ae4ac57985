#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(argc, argv,
                                  {.title = "All-to-Allv",
                                   .out = perf::Room::block_per_rank,
                                   .in = perf::Room::block_per_rank,
                                   .call = [](const perf::CollectiveCall& call) {
                                     MPI_Alltoallv(call.out, call.counts, call.displacements, MPI_CHAR, call.in,
                                                   call.counts, call.displacements, MPI_CHAR, MPI_COMM_WORLD);
                                   }});
}
