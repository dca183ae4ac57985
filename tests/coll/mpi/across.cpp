// Collectives of an intercommunicator: odd and even ranks of the world as the two groups.
#include <numeric>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

class Across : public testing::Test {
 protected:
  void SetUp() override {
    NEED_RANKS(2);
    side = ranks::rank() % 2;
    ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, side, 0, &part));
    ASSERT_MPI_OK(MPI_Intercomm_create(part, 0, MPI_COMM_WORLD, 1 - side, 3, &inter));
    me = ranks::rank(inter);
    local = ranks::count(inter);
    remote = ranks::count() - local;
  }
  void TearDown() override {
    if (inter == MPI_COMM_NULL) return;
    MPI_Comm_free(&inter);
    MPI_Comm_free(&part);
  }
  // The root argument of a collective whose root is rank `root` of the even group.
  int root_of(int root) const { return side == 1 ? root : me == root ? MPI_ROOT : MPI_PROC_NULL; }
  static int value(int side, int rank, int i) { return 100'000 * side + 1'000 * rank + i; }
  int total(int of_side, int n, int i) const {
    int sum = 0;
    for (int r = 0; r < n; ++r) sum += value(of_side, r, i);
    return sum;
  }
  Ints own(int n) const {
    Ints out;
    for (int i = 0; i < n; ++i) out.push_back(value(side, me, i));
    return out;
  }

  MPI_Comm part = MPI_COMM_NULL, inter = MPI_COMM_NULL;
  int side = 0, me = 0, local = 0, remote = 0;
};

TEST_F(Across, BarrierBcastReduce) {
  const int evens = (ranks::count() + 1) / 2;
  for (int root = 0; root < evens; ++root) {
    ASSERT_MPI_OK(MPI_Barrier(inter));
    Ints data(10, -1), sum(10, -1);
    if (root_of(root) == MPI_ROOT) data = own(10);
    ASSERT_MPI_OK(MPI_Bcast(data.data(), 10, MPI_INT, root_of(root), inter));
    if (side == 1) {
      EXPECT_EQ(data[9], value(0, root, 9));
    }
    const Ints mine = own(10);
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Ireduce(mine.data(), sum.data(), 10, MPI_INT, MPI_SUM, root_of(root), inter, &request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(sum[7], root_of(root) == MPI_ROOT ? total(1, remote, 7) : -1);
  }
}

TEST_F(Across, GatherAndScatter) {
  const Ints mine = own(3);
  Ints all(3 * static_cast<std::size_t>(remote), -1), got(3, -1);
  ASSERT_MPI_OK(MPI_Gather(mine.data(), 3, MPI_INT, all.data(), 3, MPI_INT, root_of(0), inter));
  for (int r = 0; root_of(0) == MPI_ROOT && r < remote; ++r)
    EXPECT_EQ(all[3 * static_cast<std::size_t>(r) + 2], value(1, r, 2));
  ASSERT_MPI_OK(MPI_Scatter(all.data(), 3, MPI_INT, got.data(), 3, MPI_INT, root_of(0), inter));
  EXPECT_EQ(got, side == 1 ? mine : Ints(3, -1));
}

TEST_F(Across, AllToEverybody) {
  const Ints mine = own(2);
  Ints all(2 * static_cast<std::size_t>(remote), -1), sum(2, -1);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Allgather_init(mine.data(), 2, MPI_INT, all.data(), 2, MPI_INT, inter, MPI_INFO_NULL, &request));
  for (int i = 0; i < 2; ++i) {
    std::fill(all.begin(), all.end(), -1);
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    for (int r = 0; r < remote; ++r) EXPECT_EQ(all[2 * static_cast<std::size_t>(r) + 1], value(1 - side, r, 1));
  }
  ASSERT_MPI_OK(MPI_Request_free(&request));
  ASSERT_MPI_OK(MPI_Allreduce(mine.data(), sum.data(), 2, MPI_INT, MPI_SUM, inter));
  EXPECT_EQ(sum[1], total(1 - side, remote, 1));
  Ints out, in(static_cast<std::size_t>(remote), -1);
  for (int r = 0; r < remote; ++r) out.push_back(value(side, me, r));
  ASSERT_MPI_OK(MPI_Alltoall(out.data(), 1, MPI_INT, in.data(), 1, MPI_INT, inter));
  for (int r = 0; r < remote; ++r) EXPECT_EQ(in[static_cast<std::size_t>(r)], value(1 - side, r, me));
}

TEST_F(Across, ReduceScatterSharesTheOtherGroupsSum) {
  const int whole = local * remote;
  const Ints mine = own(whole);
  Ints got(static_cast<std::size_t>(remote), -1);
  ASSERT_MPI_OK(MPI_Reduce_scatter_block(mine.data(), got.data(), remote, MPI_INT, MPI_SUM, inter));
  for (int i = 0; i < remote; ++i)
    EXPECT_EQ(got[static_cast<std::size_t>(i)], total(1 - side, remote, me * remote + i));
  const Ints counts(static_cast<std::size_t>(local), remote);
  std::fill(got.begin(), got.end(), -1);
  ASSERT_MPI_OK(MPI_Reduce_scatter(mine.data(), got.data(), counts.data(), MPI_INT, MPI_SUM, inter));
  for (int i = 0; i < remote; ++i)
    EXPECT_EQ(got[static_cast<std::size_t>(i)], total(1 - side, remote, me * remote + i));
}

TEST_F(Across, WhatHasNoMeaningIsRefused) {
  ASSERT_MPI_OK(MPI_Comm_set_errhandler(inter, MPI_ERRORS_RETURN));
  int one = 1, two = 0;
  EXPECT_MPI_ERROR(MPI_Scan(&one, &two, 1, MPI_INT, MPI_SUM, inter), MPI_ERR_COMM);
  EXPECT_NE(MPI_Allreduce(MPI_IN_PLACE, &two, 1, MPI_INT, MPI_SUM, inter), MPI_SUCCESS);
}

}  // namespace
