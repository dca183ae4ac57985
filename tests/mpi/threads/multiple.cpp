// MPI_THREAD_MULTIPLE: several threads of each rank talk at the same time, on communicators of their own and on one that
// they share.
#include <atomic>
#include <thread>

#include "support/ranks.hpp"

namespace {

constexpr int threads = 4;

template <class Body>
void in_threads(Body body) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(body, i);
  for (std::thread& thread : all) thread.join();
}

// Wrong values are counted and judged by the main thread.
TEST(Multiple, SharedCommunicatorWithTagsOfTheirOwn) {
  const int me = ranks::rank(), n = ranks::count(), next = (me + 1) % n, previous = (me + n - 1) % n;
  std::atomic<int> wrong{0};
  in_threads([&](int thread) {
    for (int i = 0; i < 200; ++i) {
      const int out = me * 1'000'000 + thread * 1'000 + i;
      int in = -1;
      MPI_Sendrecv(&out, 1, MPI_INT, next, thread, &in, 1, MPI_INT, previous, thread, MPI_COMM_WORLD,
                   MPI_STATUS_IGNORE);
      if (in != previous * 1'000'000 + thread * 1'000 + i) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(Multiple, CommunicatorsOfTheirOwn) {
  const int me = ranks::rank(), n = ranks::count();
  std::vector<MPI_Comm> comms(threads);
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  std::atomic<int> wrong{0};
  in_threads([&](int thread) {
    const MPI_Comm comm = comms.at(thread);
    for (int i = 0; i < 50; ++i) {
      int sum = 0, value = me == i % n ? i : -1;
      const int out = i + thread;
      MPI_Allreduce(&out, &sum, 1, MPI_INT, MPI_SUM, comm);
      MPI_Bcast(&value, 1, MPI_INT, i % n, comm);
      if (sum != n * (i + thread) || value != i) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// One thread waits for what another thread of the same rank sends: a wait must not hold the others up.
TEST(Multiple, OneWaitsWhileAnotherSends) {
  const int me = ranks::rank();
  std::atomic<int> wrong{0};
  in_threads([&](int thread) {
    for (int i = 0; i < 50; ++i) {
      int value = thread / 2 * 100 + i;
      const int tag = 10 + thread / 2;
      if (thread % 2) {
        MPI_Send(&value, 1, MPI_INT, me, tag, MPI_COMM_WORLD);
      } else {
        int in = -1;
        MPI_Recv(&in, 1, MPI_INT, me, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (in != value) ++wrong;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
}

// Receives from any source by several threads: each message is received once.
TEST(Multiple, WildcardsByMprobe) {
  NEED_RANKS(2);
  const int me = ranks::rank(), senders = ranks::count() - 1;
  constexpr int each = 120;  // a multiple of the number of threads
  if (me != 0) {
    for (int i = 0; i < each; ++i) MPI_Send(&i, 1, MPI_INT, 0, 20, MPI_COMM_WORLD);
    return;
  }
  std::atomic<long> sum{0};
  in_threads([&](int) {
    for (int i = 0; i < each * senders / threads; ++i) {
      MPI_Message message;
      int value = -1;
      MPI_Mprobe(MPI_ANY_SOURCE, 20, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE);
      MPI_Mrecv(&value, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
      sum += value;
    }
  });
  EXPECT_EQ(sum, static_cast<long>(senders) * each * (each - 1) / 2);
}

TEST(Multiple, LargeMessagesSideBySide) {
  const int me = ranks::rank(), n = ranks::count(), next = (me + 1) % n, previous = (me + n - 1) % n;
  std::atomic<int> wrong{0};
  in_threads([&](int thread) {
    const std::size_t size = 300'000 + static_cast<std::size_t>(thread);
    const auto key = [&](int rank) { return static_cast<std::uint64_t>(rank * threads + thread); };
    const auto out = ranks::pattern(key(me), size);
    std::vector<unsigned char> in(size);
    for (int i = 0; i < 5; ++i) {
      MPI_Sendrecv(out.data(), static_cast<int>(size), MPI_BYTE, next, 30 + thread, in.data(), static_cast<int>(size),
                   MPI_BYTE, previous, 30 + thread, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      if (ranks::first_difference(in.data(), key(previous), size) != -1) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
