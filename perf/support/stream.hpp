// Streams of messages between pairs of ranks: a window of messages in flight, then a short answer, many times over.
#pragma once

#include <mpi.h>

#include <vector>

#include "support/measure.hpp"

namespace perf {

class Stream {
 public:
  Stream(int window, std::size_t largest)
      : window_(window), out_(largest), in_(largest, 'b'), requests_(static_cast<std::size_t>(window) * 2) {}

  void send(std::size_t size, int peer) {
    for (int i = 0; i < window_; ++i) start_send(i, size, peer);
    wait(window_);
    MPI_Recv(in_.data(), 4, MPI_CHAR, peer, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }

  void receive(std::size_t size, int peer) {
    for (int i = 0; i < window_; ++i) start_receive(i, size, peer);
    wait(window_);
    MPI_Send(answer_, 4, MPI_CHAR, peer, answer_tag, MPI_COMM_WORLD);
  }

  // Both directions at once; `first` tells which of the two waits for the answer.
  void exchange(std::size_t size, int peer, bool first) {
    for (int i = 0; i < window_; ++i) start_receive(i, size, peer);
    for (int i = 0; i < window_; ++i) start_send(window_ + i, size, peer);
    wait(2 * window_);
    if (first)
      MPI_Recv(answer_, 4, MPI_CHAR, peer, answer_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else
      MPI_Send(answer_, 4, MPI_CHAR, peer, answer_tag, MPI_COMM_WORLD);
  }

 private:
  static constexpr int data_tag = 100, answer_tag = 101;

  void start_send(int i, std::size_t size, int peer) {
    MPI_Isend(out_.data(), static_cast<int>(size), MPI_CHAR, peer, data_tag, MPI_COMM_WORLD, &requests_[at(i)]);
  }
  void start_receive(int i, std::size_t size, int peer) {
    MPI_Irecv(in_.data(), static_cast<int>(size), MPI_CHAR, peer, data_tag, MPI_COMM_WORLD, &requests_[at(i)]);
  }
  void wait(int count) { MPI_Waitall(count, requests_.data(), MPI_STATUSES_IGNORE); }
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  int window_;
  Buffer out_, in_;
  char answer_[4] = {};
  std::vector<MPI_Request> requests_;
};

// Seconds that `round` takes, all timed rounds together.
template <class Round>
double time_rounds(const Options& options, std::size_t size, Round round) {
  const int warmup = options.warmup_of(size), iterations = options.iterations_of(size);
  double start = 0;
  for (int i = 0; i < warmup + iterations; ++i) {
    if (i == warmup) start = MPI_Wtime();
    round();
  }
  return MPI_Wtime() - start;
}

inline Options stream_defaults() {
  return {.min = 1, .max = 4 << 20, .iterations = 100, .iterations_large = 20, .warmup = 10, .warmup_large = 2};
}

}  // namespace perf
