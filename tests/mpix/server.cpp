// A server with an event loop: rank 0 sleeps in epoll, over MPI's descriptor, a timer and a pipe, and answers requests of
// the other ranks. While nobody asks, it uses no processor.
#include <mpix.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

enum Tag { request_tag = 1, answer_tag, quit_tag };
constexpr int requests_of_each = 200;

[[noreturn]] void give_up(const char* what) {
  printf("%s\n", what);
  MPI_Abort(MPI_COMM_WORLD, 1);
  abort();
}

double seconds_used() {  // by all threads
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void swallow(int fd) {
  std::uint64_t value;
  (void)!read(fd, &value, sizeof value);
}

// A receive that is always posted, for whatever a client sends next, and the answers under way.
class Server {
 public:
  explicit Server(int clients) : left_(clients) { receive(); }

  // Everything that has completed; false when the last client has gone.
  bool serve() {
    for (int complete = 1; left_ > 0;) {
      MPI_Status status;
      MPI_Test(&request_, &complete, &status);
      if (!complete) break;
      if (status.MPI_TAG == quit_tag) --left_;
      if (status.MPI_TAG == request_tag) answer(status.MPI_SOURCE, value_ * value_);
      if (left_ > 0) receive();
    }
    return left_ > 0;
  }

 private:
  void receive() { MPI_Irecv(&value_, 1, MPI_LONG, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request_); }
  // Given back at once: nothing to keep until it has left.
  void answer(int client, long value) {
    MPIX_Send_mode(&value, 1, MPI_LONG, client, answer_tag, MPI_COMM_WORLD, MPIX_SEND_COPY);
  }

  long value_ = 0;
  MPI_Request request_ = MPI_REQUEST_NULL;
  int left_;
};

void run_server(int clients) {
  int messages;
  if (MPIX_Completion_fd(MPI_COMM_WORLD, &messages) != MPI_SUCCESS) give_up("no descriptor");
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), loop = epoll_create1(EPOLL_CLOEXEC);
  const itimerspec tick{{0, 250'000'000}, {0, 250'000'000}};
  timerfd_settime(timer, 0, &tick, nullptr);
  for (int fd : {messages, timer}) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
  }
  Server server(clients);
  const double before = seconds_used();
  int ticks = 0;
  double used = -1;
  for (bool open = true; open;) {
    epoll_event event;
    if (epoll_wait(loop, &event, 1, 30'000) != 1) give_up("the server heard nothing for 30 s");
    swallow(event.data.fd);
    if (event.data.fd == timer && ++ticks == 8) {
      // Two seconds in which the clients have been silent.
      used = seconds_used() - before;
      long go = 1;
      for (int client = 1; client <= clients; ++client)
        MPIX_Send_mode(&go, 1, MPI_LONG, client, answer_tag, MPI_COMM_WORLD, MPIX_SEND_COPY);
    }
    open = server.serve();
  }
  close(timer);
  close(loop);
  if (used > 0.2) printf("an idle server used %.3f s of processor in 2 s\n", used), give_up("it does not sleep");
}

void run_client() {
  long value;
  MPI_Recv(&value, 1, MPI_LONG, 0, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  for (long i = 0; i < requests_of_each; ++i) {
    MPI_Send(&i, 1, MPI_LONG, 0, request_tag, MPI_COMM_WORLD);
    MPI_Recv(&value, 1, MPI_LONG, 0, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (value != i * i) give_up("a wrong answer");
    if (i % 50 == 0) usleep(20'000);  // lets the server fall asleep
  }
  MPI_Send(&value, 1, MPI_LONG, 0, quit_tag, MPI_COMM_WORLD);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  rank == 0 ? run_server(size - 1) : run_client();
  MPI_Finalize();
  return 0;
}
