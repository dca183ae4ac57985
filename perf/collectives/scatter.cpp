#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(
      argc, argv, {.title = "Scatter", .out = perf::Room::block_per_rank, .call = [](const perf::CollectiveCall& call) {
                     MPI_Scatter(call.out, call.size, MPI_CHAR, call.in, call.size, MPI_CHAR, 0, MPI_COMM_WORLD);
                   }});
}
