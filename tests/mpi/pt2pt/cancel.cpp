// Cancelled sends: the wait returns whatever the receiver does, and the message is either received or never seen by a
// receive or a probe, as MPI_Test_cancelled says.
#include <unistd.h>

#include <csignal>
#include <thread>

#include "support/ranks.hpp"

namespace {

constexpr int cancelled_tag = 5, outcome_tag = 6;
constexpr int largest = 300'000;  // ints: offered by every transport

bool is_cancelled(const MPI_Status& status) {
  int flag = -1;
  MPI_Test_cancelled(&status, &flag);
  EXPECT_TRUE(flag == 0 || flag == 1);
  return flag == 1;
}

// Cancels and waits; whether the message was taken back.
bool cancel(MPI_Request& request) {
  MPI_Status status;
  EXPECT_MPI_OK(MPI_Cancel(&request));
  EXPECT_MPI_OK(MPI_Wait(&request, &status));
  return is_cancelled(status);
}

struct Way {
  const char* name;
  int (*begin)(const void*, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request*);
  int (*init)(const void*, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request*);
};
const Way ways[] = {{"Isend", MPI_Isend, nullptr},
                    {"Issend", MPI_Issend, nullptr},
                    {"Send_init", nullptr, MPI_Send_init},
                    {"Ssend_init", nullptr, MPI_Ssend_init}};

class Cancel : public testing::Test {
 protected:
  const int me = ranks::rank(), n = ranks::count();
  const int next = (me + 1) % n, previous = (me + n - 1) % n;
  std::vector<int> out = std::vector<int>(largest, 7), in = std::vector<int>(largest, -1);

  void TearDown() override { MPI_Barrier(MPI_COMM_WORLD); }  // no test sees messages of the next

  MPI_Request begin(const Way& way, int count, int dest, MPI_Comm comm) {
    MPI_Request request = MPI_REQUEST_NULL;
    if (way.begin) {
      EXPECT_MPI_OK(way.begin(out.data(), count, MPI_INT, dest, cancelled_tag, comm, &request));
    } else {
      EXPECT_MPI_OK(way.init(out.data(), count, MPI_INT, dest, cancelled_tag, comm, &request));
      EXPECT_MPI_OK(MPI_Start(&request));
    }
    return request;
  }

  // Tells the receiver what became of our message, and looks whether that is true of the one to us.
  void compare(bool cancelled, int count, int dest, int source, MPI_Comm comm) {
    int mine = cancelled, theirs = -1, flag = -1;
    MPI_Status status;
    ASSERT_MPI_OK(MPI_Sendrecv(&mine, 1, MPI_INT, dest, outcome_tag, &theirs, 1, MPI_INT, source, outcome_tag, comm,
                               MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Iprobe(MPI_ANY_SOURCE, cancelled_tag, comm, &flag, &status));
    ASSERT_EQ(flag, !theirs);
    ASSERT_MPI_OK(MPI_Sendrecv(nullptr, 0, MPI_INT, source, outcome_tag, nullptr, 0, MPI_INT, dest, outcome_tag, comm,
                               MPI_STATUS_IGNORE));  // now the next may come
    if (theirs) return;
    ASSERT_MPI_OK(MPI_Recv(in.data(), count, MPI_INT, source, cancelled_tag, comm, &status));
    int got = -1;
    MPI_Get_count(&status, MPI_INT, &got);
    ASSERT_EQ(got, count);
    for (int i = 0; i < count; ++i) ASSERT_EQ(in[static_cast<std::size_t>(i)], 7);
  }

  void all_ways(int dest, int source, MPI_Comm comm) {
    for (const Way& way : ways) {
      for (const int count : {0, 1, 3000, 20'000, largest}) {
        SCOPED_TRACE(std::string(way.name) + " of " + std::to_string(count));
        MPI_Request request = begin(way, count, dest, comm);
        const bool cancelled = cancel(request);
        ASSERT_NO_FATAL_FAILURE(compare(cancelled, count, dest, source, comm));
        if (!way.init) continue;
        ASSERT_MPI_OK(MPI_Start(&request));  // as if nothing had been
        ASSERT_MPI_OK(MPI_Recv(in.data(), count, MPI_INT, source, cancelled_tag, comm, MPI_STATUS_IGNORE));
        MPI_Status status;
        ASSERT_MPI_OK(MPI_Wait(&request, &status));
        EXPECT_FALSE(is_cancelled(status));
        ASSERT_MPI_OK(MPI_Request_free(&request));
      }
    }
  }
};

TEST_F(Cancel, WhatNobodyReceives) { all_ways(next, previous, MPI_COMM_WORLD); }

TEST_F(Cancel, ToOneself) { all_ways(0, 0, MPI_COMM_SELF); }

TEST_F(Cancel, BetweenGroups) {
  NEED_RANKS(2);
  const int half = n / 2, low = me < half, group = low ? half : n - half;
  MPI_Comm mine, between;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, low, me, &mine));
  ASSERT_MPI_OK(MPI_Intercomm_create(mine, 0, MPI_COMM_WORLD, low ? half : 0, 1, &between));
  const int own = ranks::rank(mine), other = n - group;
  if (own < std::min(group, other)) all_ways(own, own, between);
  ASSERT_MPI_OK(MPI_Comm_free(&between));
  ASSERT_MPI_OK(MPI_Comm_free(&mine));
}

// A synchronous send that nothing has matched can always be taken back.
TEST_F(Cancel, SynchronousIsTakenBack) {
  for (const int count : {0, 1, 20'000, largest}) {
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Issend(out.data(), count, MPI_INT, next, cancelled_tag, MPI_COMM_WORLD, &request));
    EXPECT_TRUE(cancel(request)) << count;
  }
}

// What is complete stays so; what was freed after it was cancelled needs no receive.
TEST_F(Cancel, TestedFreedAndTwice) {
  MPI_Request request;
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Issend(out.data(), largest, MPI_INT, next, cancelled_tag, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Cancel(&request));
  ASSERT_MPI_OK(MPI_Cancel(&request));
  for (int flag = 0; !flag;) ASSERT_MPI_OK(MPI_Test(&request, &flag, &status));
  EXPECT_TRUE(is_cancelled(status));
  ASSERT_MPI_OK(MPI_Issend(out.data(), 1, MPI_INT, next, cancelled_tag, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Cancel(&request));
  ASSERT_MPI_OK(MPI_Request_free(&request));
  ASSERT_MPI_OK(MPI_Isend(out.data(), 1, MPI_INT, me, cancelled_tag, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Recv(in.data(), 1, MPI_INT, me, cancelled_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  EXPECT_FALSE(cancel(request));
  MPI_Barrier(MPI_COMM_WORLD);
  int flag = -1;
  ASSERT_MPI_OK(MPI_Iprobe(MPI_ANY_SOURCE, cancelled_tag, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
  EXPECT_EQ(flag, 0);
}

// More than the receiver lets pile up: the rest waits here.
TEST_F(Cancel, WithoutCredits) {
  NEED_RANKS(2);
  constexpr int messages = 2500, size = 1000;
  if (me == 0) {
    std::vector<MPI_Request> requests(messages);
    std::vector<MPI_Status> statuses(messages);
    int left = 0;
    for (int i = 0; i < messages; ++i)
      ASSERT_MPI_OK(MPI_Isend(out.data(), size, MPI_INT, 1, cancelled_tag, MPI_COMM_WORLD, &requests[i]));
    for (MPI_Request& each : requests) ASSERT_MPI_OK(MPI_Cancel(&each));
    ASSERT_MPI_OK(MPI_Waitall(messages, requests.data(), statuses.data()));
    for (const MPI_Status& status : statuses) left += !is_cancelled(status);
    ASSERT_MPI_OK(MPI_Send(&left, 1, MPI_INT, 1, outcome_tag, MPI_COMM_WORLD));
  } else if (me == 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    int left = -1, flag = -1;
    ASSERT_MPI_OK(MPI_Recv(&left, 1, MPI_INT, 0, outcome_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < left; ++i)
      ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_INT, 0, cancelled_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Iprobe(0, cancelled_tag, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
    EXPECT_EQ(flag, 0);
  }
}

// A message that MPI_Mprobe has taken is received, but its sender need not wait for that.
TEST_F(Cancel, WhatAProbeHasTaken) {
  for (const int count : {1, 20'000, largest}) {
    MPI_Request request, receive;
    MPI_Message message, second;
    MPI_Status status;
    int word = 0;
    ASSERT_MPI_OK(MPI_Irecv(&word, 1, MPI_INT, next, outcome_tag, MPI_COMM_WORLD, &receive));
    ASSERT_MPI_OK(MPI_Issend(out.data(), count, MPI_INT, next, cancelled_tag, MPI_COMM_WORLD, &request));
    ASSERT_MPI_OK(MPI_Mprobe(previous, cancelled_tag, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Send(&word, 1, MPI_INT, previous, outcome_tag, MPI_COMM_WORLD));
    ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
    EXPECT_FALSE(cancel(request));
    out.assign(largest, 8);  // the buffer is ours again
    MPI_Barrier(MPI_COMM_WORLD);
    int flag = -1, got = -1;
    ASSERT_MPI_OK(MPI_Improbe(MPI_ANY_SOURCE, cancelled_tag, MPI_COMM_WORLD, &flag, &second, MPI_STATUS_IGNORE));
    EXPECT_EQ(flag, 0);
    MPI_Barrier(MPI_COMM_WORLD);
    ASSERT_MPI_OK(MPI_Mrecv(in.data(), largest, MPI_INT, &message, &status));
    MPI_Get_count(&status, MPI_INT, &got);
    EXPECT_EQ(got, count);
    EXPECT_EQ(status.MPI_SOURCE, previous);
    for (int i = 0; i < count; ++i) ASSERT_EQ(in[static_cast<std::size_t>(i)], 7) << i;
    out.assign(largest, 7);
  }
}

void dawdle(int microseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
  while (std::chrono::steady_clock::now() < end) continue;
}

// The receiver matches while the sender cancels: for each of many messages both must say the same. Each is followed by the
// outcome with the same tag, so that a receive for one that was cancelled goes on to match that.
void race(std::uint64_t salt, int (*receive)(int* in, MPI_Status* status)) {
  NEED_RANKS(2);
  constexpr int rounds = 300, room = 100'000;
  auto random = ranks::own_random(salt);
  std::vector<int> buffer(room);
  if (ranks::rank() == 0) {
    for (int round = 0; round < rounds; ++round) {
      const int sizes[] = {1, 500, 5000, room};
      const int count = sizes[ranks::pick(random, 0, 3)];
      MPI_Request request;
      buffer[0] = round;
      const auto begin = ranks::pick(random, 0, 3) == 0 ? MPI_Isend : MPI_Issend;
      ASSERT_MPI_OK(begin(buffer.data(), count, MPI_INT, 1, cancelled_tag, MPI_COMM_WORLD, &request));
      dawdle(ranks::pick(random, 0, 20));
      const int outcome = cancel(request) ? -2 : -1;
      ASSERT_MPI_OK(MPI_Send(&outcome, 1, MPI_INT, 1, cancelled_tag, MPI_COMM_WORLD));
    }
  } else if (ranks::rank() == 1) {
    for (int round = 0; round < rounds; ++round) {
      MPI_Status status;
      bool received = false;
      dawdle(ranks::pick(random, 0, 20));
      for (;;) {
        ASSERT_MPI_OK(receive(buffer.data(), &status));
        if (buffer[0] < 0) break;
        ASSERT_FALSE(received) << round;
        ASSERT_EQ(buffer[0], round);
        received = true;
      }
      ASSERT_EQ(received, buffer[0] == -1) << round;
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

constexpr int room = 100'000;
TEST(CancelRace, WithReceives) {
  race(1, [](int* in, MPI_Status* status) {
    return MPI_Recv(in, room, MPI_INT, 0, cancelled_tag, MPI_COMM_WORLD, status);
  });
}
TEST(CancelRace, WithWildcards) {
  race(2, [](int* in, MPI_Status* status) {
    MPI_Request request;
    MPI_Irecv(in, room, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request);
    return MPI_Wait(&request, status);
  });
}
TEST(CancelRace, WithMatchedProbes) {
  race(3, [](int* in, MPI_Status* status) {
    MPI_Message message;
    MPI_Mprobe(MPI_ANY_SOURCE, cancelled_tag, MPI_COMM_WORLD, &message, status);
    return MPI_Mrecv(in, room, MPI_INT, &message, status);
  });
}
TEST(CancelRace, WithProbes) {
  race(4, [](int* in, MPI_Status* status) {
    MPI_Probe(0, MPI_ANY_TAG, MPI_COMM_WORLD, status);
    return MPI_Recv(in, room, MPI_INT, 0, cancelled_tag, MPI_COMM_WORLD, status);
  });
}

// Inside a node the wait needs nothing of the receiver, which is stopped here.
TEST(CancelStopped, ByAReceiverThatDoesNothing) {
  NEED_RANKS(2);
  if (ranks::rank() == 0) {
    std::vector<int> out(largest, 7);
    int process = 0;
    ASSERT_MPI_OK(MPI_Recv(&process, 1, MPI_INT, 1, outcome_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (const int count : {1, 20'000, largest}) {
      for (const auto begin : {MPI_Issend, MPI_Isend}) {
        MPI_Request request;
        ASSERT_EQ(kill(process, SIGSTOP), 0);
        ASSERT_MPI_OK(begin(out.data(), count, MPI_INT, 1, cancelled_tag, MPI_COMM_WORLD, &request));
        EXPECT_TRUE(cancel(request) || (begin == MPI_Isend && count == 1)) << count;
        ASSERT_EQ(kill(process, SIGCONT), 0);
      }
    }
    ASSERT_MPI_OK(MPI_Send(&process, 1, MPI_INT, 1, outcome_tag, MPI_COMM_WORLD));
  } else if (ranks::rank() == 1) {
    int process = getpid(), flag = -1;
    ASSERT_MPI_OK(MPI_Send(&process, 1, MPI_INT, 0, outcome_tag, MPI_COMM_WORLD));
    ASSERT_MPI_OK(MPI_Recv(&process, 1, MPI_INT, 0, outcome_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(
        MPI_Recv(&process, 1, MPI_INT, 0, cancelled_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));  // the eager one
    ASSERT_MPI_OK(MPI_Iprobe(0, cancelled_tag, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
    EXPECT_EQ(flag, 0);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

}  // namespace
