#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(argc, argv,
                                  {.title = "Reduce_scatter_block",
                                   .out = perf::Room::block_per_rank,
                                   .min = 4,
                                   .call = [](const perf::CollectiveCall& call) {
                                     MPI_Reduce_scatter_block(call.out, call.in, call.floats, MPI_FLOAT, MPI_SUM,
                                                              MPI_COMM_WORLD);
                                   }});
}
