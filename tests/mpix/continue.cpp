// Callbacks on completion, and descriptors for event loops.
#include <mpix.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/ranks.hpp"

namespace {

struct Count {
  std::atomic<int> calls{0};
  std::atomic<int> error{-1};
  std::thread::id thread;
};

void count(int error, void* state) {
  auto& seen = *static_cast<Count*>(state);
  seen.thread = std::this_thread::get_id();
  seen.error = error;
  ++seen.calls;
}

// Before a callback is expected not to have run, nobody may have sent what it waits for: `send` comes after a barrier.
class Continue : public testing::Test {
 protected:
  void SetUp() override {
    next_ = (ranks::rank() + 1) % ranks::count();
    previous_ = (ranks::rank() + ranks::count() - 1) % ranks::count();
    MPIX_Continue_init(&set_);
  }
  void TearDown() override { MPI_Request_free(&set_); }
  void send(int value, int tag = 0) { MPI_Send(&value, 1, MPI_INT, next_, tag, comm_); }

  const ranks::ReturningComm comm_;
  MPI_Request set_ = MPI_REQUEST_NULL;
  int next_ = 0, previous_ = 0;
};

TEST_F(Continue, OneRequest) {
  int value = 0;
  MPI_Request request;
  MPI_Status status;
  Count seen;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 5, comm_, &request);
  ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, 0, &status, set_));
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  EXPECT_EQ(seen.calls, 0);
  MPI_Barrier(comm_);
  send(42, 5);
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
  EXPECT_EQ(seen.calls, 1);
  EXPECT_EQ(seen.error, MPI_SUCCESS);
  EXPECT_EQ(value, 42);
  EXPECT_EQ(status.MPI_SOURCE, previous_);
  EXPECT_EQ(status.MPI_TAG, 5);
}

TEST_F(Continue, SeveralRequests) {
  int values[4] = {};
  MPI_Request requests[5] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  MPI_Status statuses[5];
  Count seen;
  for (int i = 0; i < 4; ++i) MPI_Irecv(&values[i], 1, MPI_INT, previous_, i, comm_, &requests[i]);
  ASSERT_MPI_OK(MPIX_Continueall(5, requests, count, &seen, 0, statuses, set_));
  for (int i = 3; i >= 0; --i) {
    EXPECT_EQ(seen.calls, 0);
    MPI_Barrier(comm_);
    send(i * i, i);
  }
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
  EXPECT_EQ(seen.calls, 1);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(values[i], i * i);
    EXPECT_EQ(statuses[i].MPI_TAG, i);
    EXPECT_EQ(requests[i], MPI_REQUEST_NULL);
  }
  EXPECT_EQ(statuses[4].MPI_SOURCE, MPI_ANY_SOURCE);
}

TEST_F(Continue, WhatIsCompleteAlready) {
  Count later, at_once;
  int value = 7, got = 0;
  for (int flags : {0, MPIX_CONT_IMMEDIATE}) {
    Count& seen = flags ? at_once : later;
    MPI_Request receive, request;
    MPI_Irecv(&got, 1, MPI_INT, previous_, 0, comm_, &receive);
    MPI_Isend(&value, 1, MPI_INT, next_, 0, comm_, &request);
    MPI_Wait(&receive, MPI_STATUS_IGNORE);
    int complete = 0;
    while (!complete) MPI_Request_get_status(request, &complete, MPI_STATUS_IGNORE);
    ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, flags, MPI_STATUS_IGNORE, set_));
    EXPECT_GE(seen.calls, flags ? 1 : 0);
    ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
    EXPECT_EQ(seen.calls, 1);
  }
  // Nothing at all, too.
  MPI_Request nothing = MPI_REQUEST_NULL;
  ASSERT_MPI_OK(MPIX_Continue(&nothing, count, &later, 0, MPI_STATUS_IGNORE, MPI_REQUEST_NULL));
  while (later.calls < 2) MPIX_Progress(nullptr);
}

// A callback that begins the next round: persistent receives, as servers have them.
struct Chain {
  Continue* test = nullptr;
  MPI_Request request = MPI_REQUEST_NULL;
  int value = 0, rounds = 0, sum = 0;
  int done = 0;
};

void next_round(int error, void* state) {
  auto& chain = *static_cast<Chain*>(state);
  EXPECT_EQ(error, MPI_SUCCESS);
  chain.sum += chain.value;
  if (++chain.rounds == 100) {
    __atomic_store_n(&chain.done, 1, __ATOMIC_RELEASE);
    return;
  }
  MPI_Start(&chain.request);
  MPIX_Continue(&chain.request, next_round, &chain, 0, MPI_STATUS_IGNORE, MPI_REQUEST_NULL);
}

TEST_F(Continue, APersistentRequestStartedAgainByItsCallback) {
  Chain chain;
  MPI_Recv_init(&chain.value, 1, MPI_INT, previous_, 0, comm_, &chain.request);
  MPI_Start(&chain.request);
  ASSERT_MPI_OK(MPIX_Continue(&chain.request, next_round, &chain, 0, MPI_STATUS_IGNORE, MPI_REQUEST_NULL));
  EXPECT_NE(chain.request, MPI_REQUEST_NULL);
  for (int i = 0; i < 100; ++i) send(i);
  ASSERT_MPI_OK(MPIX_Progress_until(&chain.done));
  EXPECT_EQ(chain.sum, 4950);
  MPI_Request_free(&chain.request);
}

TEST_F(Continue, AFailureIsTold) {
  int value = 0, two[2] = {1, 2};
  MPI_Request request;
  MPI_Status status;
  Count seen;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
  ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, 0, &status, set_));
  MPI_Send(two, 2, MPI_INT, next_, 0, comm_);
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
  EXPECT_EQ(ranks::error_class(seen.error), MPI_ERR_TRUNCATE);
}

TEST_F(Continue, TheSetIsUsedAgain) {
  int flag = 0;
  ASSERT_MPI_OK(MPI_Test(&set_, &flag, MPI_STATUS_IGNORE));
  EXPECT_TRUE(flag);  // nothing is registered
  for (int round = 0; round < 3; ++round) {
    int value = 0;
    Count seen;
    MPI_Request request;
    MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
    ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, 0, MPI_STATUS_IGNORE, set_));
    ASSERT_MPI_OK(MPI_Test(&set_, &flag, MPI_STATUS_IGNORE));
    MPI_Barrier(comm_);
    EXPECT_FALSE(flag && seen.calls == 0);
    send(round);
    ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
    EXPECT_EQ(seen.calls, 1);
    EXPECT_EQ(value, round);
    MPI_Barrier(comm_);
  }
}

TEST_F(Continue, WrongArgumentsAreRefusedAndTakeNothing) {
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  int value = 0;
  MPI_Request request, other;
  Count seen;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
  MPI_Irecv(&value, 1, MPI_INT, previous_, 1, comm_, &other);
  EXPECT_MPI_ERROR(MPIX_Continue(&request, count, &seen, 64, MPI_STATUS_IGNORE, set_), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Continue(&request, nullptr, &seen, 0, MPI_STATUS_IGNORE, set_), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPIX_Continue(&request, count, &seen, 0, MPI_STATUS_IGNORE, other), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPIX_Continue(&set_, count, &seen, 0, MPI_STATUS_IGNORE, MPI_REQUEST_NULL), MPI_ERR_REQUEST);
  EXPECT_NE(request, MPI_REQUEST_NULL);
  for (MPI_Request* each : {&request, &other}) {
    MPI_Cancel(each);
    MPI_Wait(each, MPI_STATUS_IGNORE);
  }
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
}

// From here on the progress thread runs.

TEST_F(Continue, ByAThreadOfTheLibrary) {
  int value = 0;
  Count seen;
  MPI_Request request;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
  ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, MPIX_CONT_THREAD, MPI_STATUS_IGNORE, set_));
  send(3);
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
  EXPECT_EQ(seen.calls, 1);
  EXPECT_NE(seen.thread, std::this_thread::get_id());
}

// A callback in a thread may block, and so may several at once.
struct Partner {
  MPI_Comm comm;
  int to, from, tag, got;
};

void exchange(int, void* state) {
  auto& own = *static_cast<Partner*>(state);
  const int value = own.tag;
  MPI_Sendrecv(&value, 1, MPI_INT, own.to, 100 + own.tag, &own.got, 1, MPI_INT, own.from, 100 + own.tag, own.comm,
               MPI_STATUS_IGNORE);
}

TEST_F(Continue, BlockingCallbacksInThreads) {
  Partner partners[3];
  int values[3];
  for (int i = 0; i < 3; ++i) {
    partners[i] = {comm_, next_, previous_, i, -1};
    MPI_Request request;
    MPI_Irecv(&values[i], 1, MPI_INT, previous_, i, comm_, &request);
    ASSERT_MPI_OK(MPIX_Continue(&request, exchange, &partners[i], MPIX_CONT_THREAD, MPI_STATUS_IGNORE, set_));
  }
  for (int i = 0; i < 3; ++i) send(i, ranks::rank() % 2 ? i : 2 - i);
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(partners[i].got, i);
}

// The program computes, and its callbacks run.
TEST_F(Continue, WhileTheProgramDoesSomethingElse) {
  int value = 0;
  Count seen;
  MPI_Request request;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
  ASSERT_MPI_OK(MPIX_Continue(&request, count, &seen, 0, MPI_STATUS_IGNORE, set_));
  send(3);
  for (int i = 0; i < 10'000 && seen.calls == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(seen.calls, 1);
  ASSERT_MPI_OK(MPI_Wait(&set_, MPI_STATUS_IGNORE));
}

bool is_readable(int fd, int milliseconds) {
  pollfd waited{fd, POLLIN, 0};
  return poll(&waited, 1, milliseconds) == 1;
}
void empty(int fd) {
  std::uint64_t value;
  (void)!read(fd, &value, sizeof value);
}

TEST_F(Continue, ADescriptorOfACommunicatorTellsOfItsOwn) {
  int fd = -1, same = -1;
  MPI_Comm other;
  MPI_Comm_dup(comm_, &other);
  ASSERT_MPI_OK(MPIX_Completion_fd(comm_, &fd));
  ASSERT_MPI_OK(MPIX_Completion_fd(comm_, &same));
  EXPECT_EQ(fd, same);
  EXPECT_TRUE(is_readable(fd, 0));
  int value = 0, unwatched = 0;
  MPI_Request request, unwatched_request;
  MPI_Irecv(&value, 1, MPI_INT, previous_, 0, comm_, &request);
  MPI_Irecv(&unwatched, 1, MPI_INT, previous_, 0, other, &unwatched_request);
  MPI_Barrier(MPI_COMM_WORLD);
  empty(fd);
  MPI_Send(&value, 1, MPI_INT, next_, 0, other);
  MPI_Wait(&unwatched_request, MPI_STATUS_IGNORE);
  EXPECT_FALSE(is_readable(fd, 0));
  MPI_Barrier(MPI_COMM_WORLD);  // not comm_: its own requests would be told of
  send(1);
  EXPECT_TRUE(is_readable(fd, 10'000));
  int complete = 0;
  while (!complete) {  // the send, too, makes it readable
    EXPECT_TRUE(is_readable(fd, 10'000));
    empty(fd);
    MPI_Test(&request, &complete, MPI_STATUS_IGNORE);
  }
  MPI_Comm_free(&other);
}

TEST_F(Continue, TheDescriptorForAllTellsOfUnexpectedMessages) {
  int fd = -1;
  ASSERT_MPI_OK(MPIX_Completion_fd(MPI_COMM_NULL, &fd));
  for (int size : {4, 1 << 20}) {
    std::vector<char> out(static_cast<std::size_t>(size)), in(out.size());
    MPI_Request request;
    MPI_Barrier(comm_);
    MPI_Isend(out.data(), size, MPI_CHAR, next_, 9, comm_, &request);
    int found = 0;
    for (int i = 0; i < 100 && !found; ++i) {
      EXPECT_TRUE(is_readable(fd, 10'000));
      empty(fd);
      MPI_Iprobe(previous_, 9, comm_, &found, MPI_STATUS_IGNORE);
    }
    EXPECT_TRUE(found);
    MPI_Recv(in.data(), size, MPI_CHAR, previous_, 9, comm_, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
}

}  // namespace
