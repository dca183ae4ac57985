// Many small messages, each told of once: by a callback, through a descriptor, by a pop-up thread.
//   many callback|descriptor|pool|threads COUNT
#include <mpix.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

long wanted = 0;
int all_here = 0;
std::vector<std::atomic<unsigned char>> times;  // how often each number came
std::atomic<long> arrived{0};

void note(long number) {
  if (number < 0 || number >= wanted) {
    printf("there is no message %ld\n", number);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  ++times[static_cast<std::size_t>(number)];
  if (++arrived == wanted) __atomic_store_n(&all_here, 1, __ATOMIC_RELEASE);
}

// ---- callbacks: receives that are posted again by their own callback

struct Place {
  long number = -1;
  MPI_Request request = MPI_REQUEST_NULL;
};
constexpr int window = 64;
std::atomic<long> posted{0};

void arrived_in(int error, void* state);

void post(Place& place) {
  if (posted.fetch_add(1) >= wanted) return;
  MPI_Irecv(&place.number, 1, MPI_LONG, 0, 0, MPI_COMM_WORLD, &place.request);
  MPIX_Continue(&place.request, arrived_in, &place, 0, MPI_STATUS_IGNORE, MPI_REQUEST_NULL);
}

void arrived_in(int error, void* state) {
  if (error != MPI_SUCCESS) MPI_Abort(MPI_COMM_WORLD, 1);
  auto& place = *static_cast<Place*>(state);
  note(place.number);
  post(place);
}

void receive_by_callbacks() {
  std::vector<Place> places(window);
  for (Place& place : places) post(place);
  MPIX_Progress_until(&all_here);
}

// ---- a descriptor: the program sleeps in epoll, and tests when it wakes

void receive_by_descriptor() {
  int fd;
  if (MPIX_Completion_fd(MPI_COMM_WORLD, &fd) != MPI_SUCCESS) return;
  const int loop = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{EPOLLIN, {.fd = fd}};
  epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
  long numbers[window];
  MPI_Request requests[window];
  int indices[window], found;
  for (int i = 0; i < window; ++i)
    if (posted++ < wanted)
      MPI_Irecv(&numbers[i], 1, MPI_LONG, 0, 0, MPI_COMM_WORLD, &requests[i]);
    else
      requests[i] = MPI_REQUEST_NULL;
  while (!all_here) {
    if (epoll_wait(loop, &event, 1, 20'000) == 0) {
      printf("nothing for 20 s after %ld of %ld messages\n", arrived.load(), wanted);
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
    std::uint64_t value;
    (void)!read(fd, &value, sizeof value);
    do {
      MPI_Testsome(window, requests, &found, indices, MPI_STATUSES_IGNORE);
      for (int i = 0; i < found; ++i) {
        note(numbers[indices[i]]);
        if (posted++ < wanted)
          MPI_Irecv(&numbers[indices[i]], 1, MPI_LONG, 0, 0, MPI_COMM_WORLD, &requests[indices[i]]);
      }
    } while (found > 0);
  }
  close(loop);
}

// ---- active messages

void handle(const MPIX_Am_message* message, void*) {
  long number = -1;
  if (message->header_size == sizeof number) __builtin_memcpy(&number, message->header, sizeof number);
  note(number);
}

void exchange_active(int rank, int form) {
  int index;
  MPIX_Am_register(MPI_COMM_WORLD, handle, nullptr, form, &index);
  for (long i = 0; rank == 0 && i < wanted; ++i) MPIX_Am_send(MPI_COMM_WORLD, 1, index, &i, sizeof i, nullptr, 0);
  if (rank == 1) MPIX_Progress_until(&all_here);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const std::string how = argc > 1 ? argv[1] : "";
  wanted = argc > 2 ? atol(argv[2]) : 0;
  times = std::vector<std::atomic<unsigned char>>(static_cast<std::size_t>(wanted));
  if (how == "pool" || how == "threads") {
    exchange_active(rank, how == "pool" ? MPIX_AM_POOL : MPIX_AM_NEW_THREAD);
  } else if (rank == 1) {
    how == "callback" ? receive_by_callbacks() : receive_by_descriptor();
  } else if (rank == 0) {
    for (long i = 0; i < wanted; ++i) MPI_Send(&i, 1, MPI_LONG, 1, 0, MPI_COMM_WORLD);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  int wrong = 0;
  if (rank == 1)
    for (std::size_t i = 0; i < times.size(); ++i)
      if (times[i] != 1 && wrong++ == 0) printf("message %zu came %d times\n", i, times[i].load());
  MPI_Finalize();
  return wrong != 0;
}
