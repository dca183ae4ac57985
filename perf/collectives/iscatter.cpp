#include "support/overlap.hpp"

int main(int argc, char** argv) {
  return perf::measure_overlap(argc, argv,
                               {.title = "Iscatter",
                                .out = perf::Room::block_per_rank,
                                .begin = [](const perf::CollectiveCall& call, MPI_Request* request) {
                                  MPI_Iscatter(call.out, call.size, MPI_BYTE, call.in, call.size, MPI_BYTE, 0,
                                               MPI_COMM_WORLD, request);
                                }});
}
