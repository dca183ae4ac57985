// A round trip of active messages beside one of MPI_Send and MPI_Recv, 8 bytes each, in turn; and their ratio.
#include <mpix.h>

#include <algorithm>
#include <vector>

#include "support/measure.hpp"

namespace {

int ping = 0, pong = 0;  // handlers
volatile int answered = 0;
int calls = 0, all_calls = 0, wanted = 0;

void answer(const MPIX_Am_message* message, void*) {
  MPIX_Am_reply(message, pong, message->header, message->header_size, nullptr, 0);
  if (++calls == wanted) all_calls = 1;
}
void note(const MPIX_Am_message*, void*) { answered = 1; }

double round_trips_by_messages(int rank, int count) {
  long value = 1;
  const double start = MPI_Wtime();
  for (int i = 0; i < count; ++i) {
    if (rank == 0) MPI_Send(&value, 8, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
    MPI_Recv(&value, 8, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1) MPI_Send(&value, 8, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
  }
  return (MPI_Wtime() - start) * 1e6 / count;
}

double round_trips_by_handlers(int rank, int count) {
  const long value = 1;
  calls = all_calls = 0;
  wanted = count;
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  if (rank == 1) {
    MPIX_Progress_until(&all_calls);
  } else {
    for (int i = 0; i < count; ++i) {
      answered = 0;
      MPIX_Am_send(MPI_COMM_WORLD, 1, ping, &value, sizeof value, nullptr, 0);
      MPIX_Progress_until(const_cast<const int*>(&answered));
    }
  }
  return (MPI_Wtime() - start) * 1e6 / count;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  perf::Options defaults;
  defaults.iterations = 300;  // rounds of 200 of each
  const perf::Options options = perf::read_options(argc, argv, "COW MPI active messages", defaults);
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "two ranks");
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  MPIX_Am_register(MPI_COMM_WORLD, answer, nullptr, MPIX_AM_PROGRESS, &ping);
  MPIX_Am_register(MPI_COMM_WORLD, note, nullptr, MPIX_AM_PROGRESS, &pong);
  constexpr int each = 200;
  std::vector<double> messages, handlers, ratios;
  for (int round = -5; round < options.iterations; ++round) {
    const double by_messages = round_trips_by_messages(rank, each);
    const double by_handlers = round_trips_by_handlers(rank, each);
    if (round < 0) continue;
    messages.push_back(by_messages);
    handlers.push_back(by_handlers);
    ratios.push_back(by_handlers / by_messages);
  }
  for (auto* list : {&messages, &handlers, &ratios}) std::sort(list->begin(), list->end());
  const std::size_t middle = messages.size() / 2;
  if (rank == 0)
    printf(
        "# round trip of 8 bytes, us: median, fastest tenth\n"
        "MPI_Send/Recv   %8.3f %8.3f\nactive messages %8.3f %8.3f\nratio           %8.3f %8.3f\n",
        messages[middle], messages[messages.size() / 10], handlers[middle], handlers[handlers.size() / 10],
        ratios[middle], handlers[handlers.size() / 10] / messages[messages.size() / 10]);
  MPI_Finalize();
}
