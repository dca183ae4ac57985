#include "support/overlap.hpp"

int main(int argc, char** argv) {
  return perf::measure_overlap(argc, argv,
                               {.title = "Ialltoall",
                                .out = perf::Room::block_per_rank,
                                .in = perf::Room::block_per_rank,
                                .begin = [](const perf::CollectiveCall& call, MPI_Request* request) {
                                  MPI_Ialltoall(call.out, call.size, MPI_BYTE, call.in, call.size, MPI_BYTE,
                                                MPI_COMM_WORLD, request);
                                }});
}
