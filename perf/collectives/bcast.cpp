#include "support/collective.hpp"

int main(int argc, char** argv) {
  return perf::measure_collective(
      argc, argv, {.title = "Broadcast", .in = perf::Room::none, .call = [](const perf::CollectiveCall& call) {
                     MPI_Bcast(call.out, call.size, MPI_CHAR, 0, MPI_COMM_WORLD);
                   }});
}
