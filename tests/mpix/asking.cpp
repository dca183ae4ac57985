// A program that waits by asking gives the processor up to the others, by whichever call it asks; one that works
// between its calls does not.
#include <mpix.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "support/ranks.hpp"

namespace {
int yields = 0;
}

// In place of the C library's, also for the library that is tested.
extern "C" int sched_yield() noexcept {
  ++yields;
  return static_cast<int>(syscall(SYS_sched_yield));
}

namespace {

using Seconds = std::chrono::duration<double>;

Seconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

// A token that goes round. Each way to ask waits for it from the rank before, and leaves it received.
int token = 0;
int previous() { return (ranks::rank() + ranks::count() - 1) % ranks::count(); }
int next() { return (ranks::rank() + 1) % ranks::count(); }

void start_receive(MPI_Request& request) { MPI_Irecv(&token, 1, MPI_INT, previous(), 0, MPI_COMM_WORLD, &request); }

template <class Asks>
void ask_for_receive(Asks asks) {
  MPI_Request request;
  start_receive(request);
  while (!asks(request)) {
  }
  if (request != MPI_REQUEST_NULL) MPI_Wait(&request, MPI_STATUS_IGNORE);
}

void by_recv() { MPI_Recv(&token, 1, MPI_INT, previous(), 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE); }

void by_test() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0;
    MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
    return flag;
  });
}

void by_testany() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0, index;
    MPI_Testany(1, &request, &index, &flag, MPI_STATUS_IGNORE);
    return flag;
  });
}

void by_testsome() {
  ask_for_receive([](MPI_Request& request) {
    int count = 0, index;
    MPI_Testsome(1, &request, &count, &index, MPI_STATUSES_IGNORE);
    return count;
  });
}

void by_testall() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0;
    MPI_Testall(1, &request, &flag, MPI_STATUSES_IGNORE);
    return flag;
  });
}

void by_get_status() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0;
    MPI_Request_get_status(request, &flag, MPI_STATUS_IGNORE);
    return flag;
  });
}

void by_get_status_any() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0, index;
    MPI_Request_get_status_any(1, &request, &index, &flag, MPI_STATUS_IGNORE);
    return flag;
  });
}

void by_get_status_all() {
  ask_for_receive([](MPI_Request& request) {
    int flag = 0;
    MPI_Request_get_status_all(1, &request, &flag, MPI_STATUSES_IGNORE);
    return flag;
  });
}

void by_get_status_some() {
  ask_for_receive([](MPI_Request& request) {
    int count = 0, index;
    MPI_Request_get_status_some(1, &request, &count, &index, MPI_STATUSES_IGNORE);
    return count;
  });
}

void by_iprobe() {
  int flag = 0;
  while (!flag) MPI_Iprobe(previous(), 0, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
  by_recv();
}

void by_improbe() {
  int flag = 0;
  MPI_Message message;
  while (!flag) MPI_Improbe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &flag, &message, MPI_STATUS_IGNORE);
  MPI_Mrecv(&token, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
}

// Two ways to ask in turn, and a third that has nothing to tell.
void by_several() {
  MPI_Request none = MPI_REQUEST_NULL;
  ask_for_receive([&](MPI_Request& request) {
    int flag = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    MPI_Test(&none, &flag, MPI_STATUS_IGNORE);
    MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
    return flag;
  });
}

void note(int, void* flag) { *static_cast<volatile int*>(flag) = 1; }

void by_progress() {
  volatile int called = 0;
  MPI_Request request;
  start_receive(request);
  MPIX_Continue(&request, note, const_cast<int*>(&called), MPIX_CONT_IMMEDIATE, MPI_STATUS_IGNORE, MPI_REQUEST_NULL);
  while (!__atomic_load_n(&called, __ATOMIC_ACQUIRE)) MPIX_Progress(nullptr);
}

// What goes from rank to rank: a message, or a partition.
void pass_on() { MPI_Send(&token, 1, MPI_INT, next(), 0, MPI_COMM_WORLD); }

template <class Await, class Pass>
Seconds lap(Await await, Pass pass) {
  MPI_Barrier(MPI_COMM_WORLD);
  const Seconds start = now();
  if (ranks::rank() == 0) pass();
  await();
  if (ranks::rank() != 0) pass();
  return now() - start;
}

// Of a hop, as rank 0 sees it; the same on all ranks.
template <class Lap>
double median_hop(Lap run) {
  constexpr std::size_t laps = 11;
  std::vector<double> times;
  for (std::size_t i = 0; i < laps; ++i) times.push_back(run().count() / ranks::count());
  std::sort(times.begin(), times.end());
  double median = times[laps / 2];
  MPI_Bcast(&median, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return median;
}

// Who keeps the processor until the kernel takes it away needs a slice of time for a hop where two share it, and that
// of each who stands before the next one where there are more.
double bound() {
  constexpr double slack = 250e-6;
  static const double by_waiting = median_hop([] { return lap(by_recv, pass_on); });
  return 3 * by_waiting + slack * ranks::count();
}

struct Way {
  const char* name;
  void (*await)();
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

class AskingRing : public testing::TestWithParam<Way> {};

TEST_P(AskingRing, PassesATokenAsSoonAsWaiting) {
  EXPECT_LT(median_hop([] { return lap(GetParam().await, pass_on); }), bound());
}

constexpr Way ways[] = {
    {"Test", by_test},
    {"Testany", by_testany},
    {"Testsome", by_testsome},
    {"Testall", by_testall},
    {"GetStatus", by_get_status},
    {"GetStatusAny", by_get_status_any},
    {"GetStatusAll", by_get_status_all},
    {"GetStatusSome", by_get_status_some},
    {"Iprobe", by_iprobe},
    {"Improbe", by_improbe},
    {"Several", by_several},
    {"Progress", by_progress},
};

INSTANTIATE_TEST_SUITE_P(, AskingRing, testing::ValuesIn(ways),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(AskingForPartitions, PassesATokenAsSoonAsWaiting) {
  MPI_Request send, receive;
  MPI_Psend_init(&token, 1, 1, MPI_INT, next(), 2, MPI_COMM_WORLD, MPI_INFO_NULL, &send);
  MPI_Precv_init(&token, 1, 1, MPI_INT, previous(), 2, MPI_COMM_WORLD, MPI_INFO_NULL, &receive);
  const auto await = [&] {
    for (int flag = 0; !flag;) MPI_Parrived(receive, 0, &flag);
  };
  const double hop = median_hop([&] {
    MPI_Start(&receive);
    MPI_Start(&send);
    const Seconds time = lap(await, [&] { MPI_Pready(0, send); });
    MPI_Wait(&send, MPI_STATUS_IGNORE);
    MPI_Wait(&receive, MPI_STATUS_IGNORE);
    return time;
  });
  EXPECT_LT(hop, bound());
  MPI_Request_free(&send);
  MPI_Request_free(&receive);
}

// Asks for what cannot have come yet, and works for so long after each time.
int yields_while_asking(int calls, std::chrono::nanoseconds work) {
  MPI_Request request;
  start_receive(request);
  MPI_Barrier(MPI_COMM_WORLD);
  const int before = yields;
  for (int i = 0; i < calls; ++i) {
    int flag = 0;
    MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
    MPI_Iprobe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    for (const Seconds end = now() + work; work.count() > 0 && now() < end;) {
    }
  }
  const int counted = yields - before;
  MPI_Barrier(MPI_COMM_WORLD);
  pass_on();
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  return counted;
}

TEST(Asking, KeepsTheProcessorWhereThereIsWork) {
  EXPECT_EQ(yields_while_asking(5'000, std::chrono::microseconds(1)), 0);
  EXPECT_EQ(yields_while_asking(500, std::chrono::microseconds(20)), 0);
}

TEST(Asking, GivesTheProcessorUpWhereThereIsNone) { EXPECT_GT(yields_while_asking(20'000, {}), 0); }

}  // namespace
