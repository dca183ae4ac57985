// Requests: the Wait and Test families, cancelling, freeing, null and inactive ones, and the fields of a status.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "support/ranks.hpp"

namespace {

constexpr int n = 24;

// Rank 0 sends n numbered messages in random order to rank 1, which has posted a receive for each: `complete` takes the
// requests until all are null and tells each completed index once.
template <class Complete>
void scattered_completion(std::uint64_t salt, Complete complete) {
  NEED_RANKS(2);
  if (ranks::rank() == 0) {
    auto random = ranks::own_random(salt);
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    for (const int i : order) ASSERT_MPI_OK(MPI_Send(&i, 1, MPI_INT, 1, i, MPI_COMM_WORLD));
  } else if (ranks::rank() == 1) {
    std::vector<int> in(n, -1), seen(n, 0);
    std::vector<MPI_Request> requests(n);
    for (int i = 0; i < n; ++i) ASSERT_MPI_OK(MPI_Irecv(&in.at(i), 1, MPI_INT, 0, i, MPI_COMM_WORLD, &requests.at(i)));
    complete(requests, [&](int i, const MPI_Status& status) {
      ASSERT_GE(i, 0);
      ASSERT_LT(i, n);
      EXPECT_EQ(status.MPI_TAG, i);
      EXPECT_EQ(status.MPI_SOURCE, 0);
      EXPECT_EQ(in.at(i), i);
      ++seen.at(i);
    });
    EXPECT_EQ(seen, std::vector<int>(n, 1));
    for (const MPI_Request request : requests) EXPECT_EQ(request, MPI_REQUEST_NULL);
  }
}

TEST(Completion, Waitany) {
  scattered_completion(1, [](std::vector<MPI_Request>& requests, auto done) {
    for (int i = 0; i < n; ++i) {
      int index = -1;
      MPI_Status status;
      ASSERT_MPI_OK(MPI_Waitany(n, requests.data(), &index, &status));
      done(index, status);
    }
    int index = -1;
    ASSERT_MPI_OK(MPI_Waitany(n, requests.data(), &index, MPI_STATUS_IGNORE));
    EXPECT_EQ(index, MPI_UNDEFINED);
  });
}

TEST(Completion, Testany) {
  scattered_completion(2, [](std::vector<MPI_Request>& requests, auto done) {
    for (int completed = 0; completed < n;) {
      int index = -1, flag = 0;
      MPI_Status status;
      ASSERT_MPI_OK(MPI_Testany(n, requests.data(), &index, &flag, &status));
      if (flag) done(index, status), ++completed;
    }
    int index = -1, flag = 0;
    ASSERT_MPI_OK(MPI_Testany(n, requests.data(), &index, &flag, MPI_STATUS_IGNORE));
    EXPECT_EQ(index, MPI_UNDEFINED);
    EXPECT_TRUE(flag);
  });
}

template <class Some>
void by_some(std::uint64_t salt, Some some) {
  scattered_completion(salt, [some](std::vector<MPI_Request>& requests, auto done) {
    std::vector<int> indices(n);
    std::vector<MPI_Status> statuses(n);
    for (int completed = 0, count = 0; completed < n; completed += count) {
      ASSERT_MPI_OK(some(n, requests.data(), &count, indices.data(), statuses.data()));
      ASSERT_NE(count, MPI_UNDEFINED);
      for (int i = 0; i < count; ++i) done(indices.at(i), statuses.at(i));
    }
    int count = -1;
    ASSERT_MPI_OK(some(n, requests.data(), &count, indices.data(), statuses.data()));
    EXPECT_EQ(count, MPI_UNDEFINED);
  });
}

TEST(Completion, Waitsome) { by_some(3, MPI_Waitsome); }
TEST(Completion, Testsome) { by_some(4, MPI_Testsome); }

TEST(Completion, Waitall) {
  scattered_completion(5, [](std::vector<MPI_Request>& requests, auto done) {
    std::vector<MPI_Status> statuses(n);
    ASSERT_MPI_OK(MPI_Waitall(n, requests.data(), statuses.data()));
    for (int i = 0; i < n; ++i) done(i, statuses.at(i));
  });
}

TEST(Completion, Testall) {
  scattered_completion(6, [](std::vector<MPI_Request>& requests, auto done) {
    std::vector<MPI_Status> statuses(n);
    for (int flag = 0; !flag;) {
      ASSERT_MPI_OK(MPI_Testall(n, requests.data(), &flag, statuses.data()));
      if (flag) break;
      for (const MPI_Request request : requests)
        ASSERT_NE(request, MPI_REQUEST_NULL) << "taken though not all are done";
    }
    for (int i = 0; i < n; ++i) done(i, statuses.at(i));
  });
}

TEST(Completion, WaitAndTestOneByOne) {
  scattered_completion(7, [](std::vector<MPI_Request>& requests, auto done) {
    for (int i = n - 1; i >= 0; --i) {
      MPI_Status status;
      if (i % 2) {
        ASSERT_MPI_OK(MPI_Wait(&requests.at(i), &status));
      } else {
        for (int flag = 0; !flag;) ASSERT_MPI_OK(MPI_Test(&requests.at(i), &flag, &status));
      }
      done(i, status);
    }
  });
}

void expect_empty(const MPI_Status& status) {
  int count = -1, cancelled = -1;
  EXPECT_EQ(status.MPI_SOURCE, MPI_ANY_SOURCE);
  EXPECT_EQ(status.MPI_TAG, MPI_ANY_TAG);
  EXPECT_MPI_OK(MPI_Get_count(&status, MPI_INT, &count));
  EXPECT_EQ(count, 0);
  EXPECT_MPI_OK(MPI_Test_cancelled(&status, &cancelled));
  EXPECT_EQ(cancelled, 0);
}

TEST(Completion, NullRequestsAreDone) {
  MPI_Request none = MPI_REQUEST_NULL, pair[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  MPI_Status status, statuses[2];
  int flag = 0;
  EXPECT_MPI_OK(MPI_Wait(&none, &status));
  expect_empty(status);
  EXPECT_MPI_OK(MPI_Test(&none, &flag, &status));
  EXPECT_TRUE(flag);
  expect_empty(status);
  EXPECT_MPI_OK(MPI_Waitall(2, pair, statuses));
  expect_empty(statuses[1]);
  EXPECT_MPI_OK(MPI_Waitall(0, nullptr, MPI_STATUSES_IGNORE));
  flag = 0;
  EXPECT_MPI_OK(MPI_Testall(0, nullptr, &flag, MPI_STATUSES_IGNORE));
  EXPECT_TRUE(flag);
}

// Every call that had nothing to wait for gives the empty status, MPI_ERROR included.
TEST(Completion, TheEmptyStatusIsWhole) {
  MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  int data, flag, index;
  ASSERT_MPI_OK(MPI_Recv_init(&data, 1, MPI_INT, ranks::rank(), 0, MPI_COMM_WORLD, &requests[1]));
  MPI_Request inactive = requests[1];
  const auto check = [](const char* what, auto call) {
    SCOPED_TRACE(what);
    MPI_Status status;
    memset(&status, 0x55, sizeof status);
    ASSERT_MPI_OK(call(&status));
    EXPECT_EQ(status.MPI_ERROR, MPI_SUCCESS);
    expect_empty(status);
  };
  for (MPI_Request* each : {&requests[0], &inactive}) {
    check("Wait", [&](MPI_Status* status) { return MPI_Wait(each, status); });
    check("Test", [&](MPI_Status* status) { return MPI_Test(each, &flag, status); });
    check("Request_get_status", [&](MPI_Status* status) { return MPI_Request_get_status(*each, &flag, status); });
    check("Waitall", [&](MPI_Status* status) { return MPI_Waitall(1, each, status); });
    check("Testall", [&](MPI_Status* status) { return MPI_Testall(1, each, &flag, status); });
    check("Get_status_all", [&](MPI_Status* status) { return MPI_Request_get_status_all(1, each, &flag, status); });
  }
  for (const int count : {0, 1, 2}) {
    check("Waitany", [&](MPI_Status* status) { return MPI_Waitany(count, requests, &index, status); });
    EXPECT_EQ(index, MPI_UNDEFINED);
    check("Testany", [&](MPI_Status* status) { return MPI_Testany(count, requests, &index, &flag, status); });
    EXPECT_EQ(index, MPI_UNDEFINED);
    check("Get_status_any",
          [&](MPI_Status* status) { return MPI_Request_get_status_any(count, requests, &index, &flag, status); });
    EXPECT_EQ(index, MPI_UNDEFINED);
    EXPECT_EQ(flag, 1);
  }
  ASSERT_MPI_OK(MPI_Request_free(&requests[1]));
}

TEST(Completion, RequestGetStatusKeepsTheRequest) {
  const int me = ranks::rank();
  int out = 5, in = 0, flag = 0;
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Irecv(&in, 1, MPI_INT, me, 8, MPI_COMM_WORLD, &request));
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Request_get_status(request, &flag, &status));
  EXPECT_EQ(flag, 0);
  ASSERT_MPI_OK(MPI_Send(&out, 1, MPI_INT, me, 8, MPI_COMM_WORLD));
  while (!flag) ASSERT_MPI_OK(MPI_Request_get_status(request, &flag, &status));
  EXPECT_EQ(status.MPI_TAG, 8);
  EXPECT_NE(request, MPI_REQUEST_NULL);
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(in, 5);
}

// A receive that nothing matches is cancelled; the message that comes later goes to the next receive.
TEST(Completion, CancelledReceive) {
  const int me = ranks::rank();
  int never = -1, in = 0, out = 6, cancelled = 0;
  MPI_Request request;
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Irecv(&never, 1, MPI_INT, me, 10, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Cancel(&request));
  ASSERT_MPI_OK(MPI_Wait(&request, &status));
  ASSERT_MPI_OK(MPI_Test_cancelled(&status, &cancelled));
  EXPECT_TRUE(cancelled);
  ASSERT_MPI_OK(MPI_Sendrecv(&out, 1, MPI_INT, me, 10, &in, 1, MPI_INT, me, 10, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  EXPECT_EQ(in, 6);
  EXPECT_EQ(never, -1);
}

// Too late to cancel: the message has been received already, and stays received.
TEST(Completion, CancelAfterTheMessage) {
  const int me = ranks::rank();
  int in = 0, out = 7, cancelled = 1;
  MPI_Request receive;
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Irecv(&in, 1, MPI_INT, me, 11, MPI_COMM_WORLD, &receive));
  ASSERT_MPI_OK(MPI_Send(&out, 1, MPI_INT, me, 11, MPI_COMM_WORLD));
  for (int flag = 0; !flag;) ASSERT_MPI_OK(MPI_Request_get_status(receive, &flag, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Cancel(&receive));
  ASSERT_MPI_OK(MPI_Wait(&receive, &status));
  ASSERT_MPI_OK(MPI_Test_cancelled(&status, &cancelled));
  EXPECT_FALSE(cancelled);
  EXPECT_EQ(in, 7);
}

// A freed send still sends.
TEST(Completion, FreedSendStillArrives) {
  NEED_RANKS(2);
  static int out[100'000];  // must live until it has been sent, which nobody tells us
  if (ranks::rank() == 0) {
    for (int i = 0; i < 100'000; ++i) out[i] = i;
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Isend(out, 100'000, MPI_INT, 1, 12, MPI_COMM_WORLD, &request));
    ASSERT_MPI_OK(MPI_Request_free(&request));
    EXPECT_EQ(request, MPI_REQUEST_NULL);
  } else if (ranks::rank() == 1) {
    std::vector<int> in(100'000, -1);
    ASSERT_MPI_OK(MPI_Recv(in.data(), 100'000, MPI_INT, 0, 12, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < 100'000; ++i) ASSERT_EQ(in.at(i), i);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

}  // namespace
