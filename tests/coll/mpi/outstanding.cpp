// Many collectives at once, on one communicator and on many.
#include <algorithm>
#include <numeric>

#include "support/ranks.hpp"

namespace {

TEST(Outstanding, AThousandOnOneCommunicator) {
  const int n = ranks::count(), me = ranks::rank();
  constexpr int many = 1000;
  std::vector<int> sums(many), own(many), sent(many);
  std::vector<MPI_Request> requests(many);
  for (int i = 0; i < many; ++i) {
    const auto at = static_cast<std::size_t>(i);
    own[at] = me + i;
    sent[at] = me == i % n ? i : -1;
    if (i % 3 == 0) {
      ASSERT_MPI_OK(MPI_Iallreduce(&own[at], &sums[at], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[at]));
    }
    if (i % 3 == 1) {
      ASSERT_MPI_OK(MPI_Ibcast(&sent[at], 1, MPI_INT, i % n, MPI_COMM_WORLD, &requests[at]));
    }
    if (i % 3 == 2) {
      ASSERT_MPI_OK(MPI_Ibarrier(MPI_COMM_WORLD, &requests[at]));
    }
  }
  // A blocking one among them, begun last and ended first.
  int last = me, all = 0;
  ASSERT_MPI_OK(MPI_Allreduce(&last, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(all, n * (n - 1) / 2);
  // Waited for in another order than begun, which differs between the ranks.
  std::vector<int> order(many);
  std::iota(order.begin(), order.end(), 0);
  auto random = ranks::own_random(7);
  std::shuffle(order.begin(), order.end(), random);
  for (int i : order) ASSERT_MPI_OK(MPI_Wait(&requests[static_cast<std::size_t>(i)], MPI_STATUS_IGNORE));
  for (int i = 0; i < many; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (i % 3 == 0) {
      EXPECT_EQ(sums[at], n * (n - 1) / 2 + n * i);
    }
    if (i % 3 == 1) {
      EXPECT_EQ(sent[at], i);
    }
  }
}

TEST(Outstanding, OnAHundredCommunicators) {
  constexpr std::size_t many = 100;
  const int n = ranks::count(), me = ranks::rank();
  std::vector<MPI_Comm> comms(many);
  std::vector<MPI_Request> requests(many);
  std::vector<int> results(many * static_cast<std::size_t>(n));
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (std::size_t i = 0; i < many; ++i)
    ASSERT_MPI_OK(
        MPI_Iallgather(&me, 1, MPI_INT, &results[i * static_cast<std::size_t>(n)], 1, MPI_INT, comms[i], &requests[i]));
  ASSERT_MPI_OK(MPI_Waitall(many, requests.data(), MPI_STATUSES_IGNORE));
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], static_cast<int>(i) % n);
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(Outstanding, DuplicatesInFlightAmongBroadcasts) {
  constexpr std::size_t many = 100;
  const int n = ranks::count();
  std::vector<MPI_Comm> comms(many);
  std::vector<MPI_Request> requests(2 * many);
  std::vector<int> values(many);
  for (std::size_t i = 0; i < many; ++i) {
    const int root = static_cast<int>(i) % n;
    values[i] = ranks::rank() == root ? static_cast<int>(i) : -1;
    ASSERT_MPI_OK(MPI_Comm_idup(MPI_COMM_WORLD, &comms[i], &requests[2 * i]));
    ASSERT_MPI_OK(MPI_Ibcast(&values[i], 1, MPI_INT, root, MPI_COMM_WORLD, &requests[2 * i + 1]));
  }
  ASSERT_MPI_OK(MPI_Waitall(2 * many, requests.data(), MPI_STATUSES_IGNORE));
  for (std::size_t i = 0; i < many; ++i) {
    EXPECT_EQ(values[i], static_cast<int>(i));
    int sum = 0;
    const int one = 1;
    ASSERT_MPI_OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comms[i]));
    EXPECT_EQ(sum, n);
    ASSERT_MPI_OK(MPI_Comm_free(&comms[i]));
  }
}

// Persistent collectives on one communicator, started in any order and while others run.
TEST(Outstanding, PersistentOnesStartedInAnyOrder) {
  constexpr std::size_t many = 20;
  const int n = ranks::count(), me = ranks::rank();
  std::vector<int> in(many), out(many);
  std::vector<MPI_Request> requests(many);
  for (std::size_t i = 0; i < many; ++i)
    ASSERT_MPI_OK(
        MPI_Allreduce_init(&in[i], &out[i], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[i]));
  auto random = ranks::own_random(9);
  std::vector<std::size_t> order(many);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (int round = 0; round < 5; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i : order) {
      in[i] = me + round * static_cast<int>(i);
      ASSERT_MPI_OK(MPI_Start(&requests[i]));
    }
    ASSERT_MPI_OK(MPI_Waitall(many, requests.data(), MPI_STATUSES_IGNORE));
    for (std::size_t i = 0; i < many; ++i) EXPECT_EQ(out[i], n * (n - 1) / 2 + n * round * static_cast<int>(i));
  }
  for (MPI_Request& request : requests) ASSERT_MPI_OK(MPI_Request_free(&request));
}

// What the program may free at once: type, operation and communicator of a pending collective.
TEST(Outstanding, FreedObjectsLiveUntilTheEnd) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm comm;
  MPI_Datatype pair;
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  ASSERT_MPI_OK(MPI_Type_contiguous(2, MPI_INT, &pair));
  ASSERT_MPI_OK(MPI_Type_commit(&pair));
  std::vector<int> all(2 * static_cast<std::size_t>(n));
  const int own[2] = {me, -me};
  ASSERT_MPI_OK(MPI_Iallgather(own, 1, pair, all.data(), 1, pair, comm, &request));
  ASSERT_MPI_OK(MPI_Type_free(&pair));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  for (int r = 0; r < n; ++r) {
    EXPECT_EQ(all[2 * static_cast<std::size_t>(r)], r);
    EXPECT_EQ(all[2 * static_cast<std::size_t>(r) + 1], -r);
  }
}

}  // namespace
