// Communicators made from an intercommunicator, whose groups are the even and the odd ranks of the world.
#include "support/ranks.hpp"

namespace {

class Inter : public testing::Test {
 protected:
  const int world = ranks::rank(), n = ranks::count(), side = world % 2;
  MPI_Comm part = MPI_COMM_NULL, inter = MPI_COMM_NULL;
  int me = -1, local = -1, remote = -1;

  void SetUp() override {
    NEED_RANKS(2);
    ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, side, world, &part));
    ASSERT_MPI_OK(MPI_Intercomm_create(part, 0, MPI_COMM_WORLD, 1 - side, 3, &inter));
    MPI_Comm_set_errhandler(inter, MPI_ERRORS_RETURN);
    me = ranks::rank(inter);
    local = ranks::count(inter);
    MPI_Comm_remote_size(inter, &remote);
  }
  void TearDown() override {
    if (inter == MPI_COMM_NULL) return;
    MPI_Comm_free(&inter);
    MPI_Comm_free(&part);
  }

  // The world's ranks of the other group, as the new communicator has them; and a sum over them.
  std::vector<int> others(MPI_Comm comm) {
    int size = 0, is_inter = 0;
    EXPECT_MPI_OK(MPI_Comm_test_inter(comm, &is_inter));
    EXPECT_TRUE(is_inter);
    EXPECT_MPI_OK(MPI_Comm_remote_size(comm, &size));
    std::vector<int> out(static_cast<std::size_t>(size), -1);
    EXPECT_MPI_OK(MPI_Allgather(&world, 1, MPI_INT, out.data(), 1, MPI_INT, comm));
    int sum = -1, expected = 0;
    EXPECT_MPI_OK(MPI_Allreduce(&world, &sum, 1, MPI_INT, MPI_SUM, comm));
    for (const int rank : out) expected += rank;
    EXPECT_EQ(sum, expected);
    return out;
  }
};

TEST_F(Inter, SplitJoinsTheRanksOfOneColour) {
  const int colour = me % 2;
  MPI_Comm half;
  ASSERT_MPI_OK(MPI_Comm_split(inter, colour, -me, &half));
  std::vector<int> expected;  // keys turn the order round
  for (int r = remote - 1; r >= 0; --r)
    if (r % 2 == colour) expected.push_back(2 * r + 1 - side);
  if (expected.empty()) {
    EXPECT_EQ(half, MPI_COMM_NULL);
    return;
  }
  ASSERT_NE(half, MPI_COMM_NULL);
  EXPECT_EQ(others(half), expected);
  ASSERT_MPI_OK(MPI_Comm_free(&half));
}

TEST_F(Inter, SplitWithoutAColourOrCompany) {
  MPI_Comm none = MPI_COMM_WORLD;
  ASSERT_MPI_OK(MPI_Comm_split(inter, side, 0, &none));
  EXPECT_EQ(none, MPI_COMM_NULL) << "the other group has no such colour";
  ASSERT_MPI_OK(MPI_Comm_split(inter, me == 0 ? 5 : int{MPI_UNDEFINED}, 0, &none));
  if (me != 0) {
    EXPECT_EQ(none, MPI_COMM_NULL);
    return;
  }
  EXPECT_EQ(others(none), std::vector<int>{1 - side});
  ASSERT_MPI_OK(MPI_Comm_free(&none));
}

// Parts have ranks of both groups. All of this job's ranks share memory with each other, or it has several nodes.
TEST_F(Inter, SplitByKindsOfResources) {
  MPI_Info info;
  ASSERT_MPI_OK(MPI_Info_create(&info));
  MPI_Comm node;
  ASSERT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  std::vector<int> near(static_cast<std::size_t>(ranks::count(node)));
  ASSERT_MPI_OK(MPI_Allgather(&world, 1, MPI_INT, near.data(), 1, MPI_INT, node));
  ASSERT_MPI_OK(MPI_Comm_free(&node));
  std::vector<int> expected;
  for (const int rank : near)
    if (rank % 2 != side) expected.insert(expected.begin(), rank);
  const auto expect_parts = [&](int type) {
    MPI_Comm part = MPI_COMM_WORLD;
    ASSERT_MPI_OK(MPI_Comm_split_type(inter, type, -world, info, &part));
    ASSERT_EQ(part == MPI_COMM_NULL, expected.empty());
    if (expected.empty()) return;
    EXPECT_EQ(others(part), expected);
    ASSERT_MPI_OK(MPI_Comm_free(&part));
  };
  expect_parts(MPI_COMM_TYPE_SHARED);
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_hw_resource_type", "mpi_shared_memory"));
  expect_parts(MPI_COMM_TYPE_HW_GUIDED);
  expect_parts(MPI_COMM_TYPE_RESOURCE_GUIDED);
  ASSERT_MPI_OK(MPI_Info_free(&info));
}

TEST_F(Inter, SplitBySetsAndWithoutGuide) {
  MPI_Info info;
  ASSERT_MPI_OK(MPI_Info_create(&info));
  MPI_Comm part = MPI_COMM_WORLD;
  ASSERT_MPI_OK(MPI_Comm_split_type(inter, MPI_COMM_TYPE_HW_GUIDED, 0, info, &part));
  EXPECT_EQ(part, MPI_COMM_NULL) << "no kind was named";
  ASSERT_MPI_OK(MPI_Comm_split_type(inter, MPI_UNDEFINED, 0, info, &part));
  EXPECT_EQ(part, MPI_COMM_NULL);
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_pset_name", "mpi://WORLD"));
  ASSERT_MPI_OK(MPI_Comm_split_type(inter, MPI_COMM_TYPE_RESOURCE_GUIDED, 0, info, &part));
  EXPECT_EQ(others(part).size(), static_cast<std::size_t>(remote));
  ASSERT_MPI_OK(MPI_Comm_free(&part));
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_pset_name", "mpi://SELF"));
  ASSERT_MPI_OK(MPI_Comm_split_type(inter, MPI_COMM_TYPE_RESOURCE_GUIDED, 0, info, &part));
  EXPECT_EQ(part, MPI_COMM_NULL) << "the other group has nobody of it";
  ASSERT_MPI_OK(MPI_Info_free(&info));
  // Down to ranks that nothing separates: each step makes smaller parts, and it ends.
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(inter, &comm));
  for (int depth = 0; comm != MPI_COMM_NULL; ++depth) {
    ASSERT_LT(depth, 20);
    const std::size_t before = others(comm).size() + static_cast<std::size_t>(ranks::count(comm));
    ASSERT_MPI_OK(MPI_Comm_split_type(comm, MPI_COMM_TYPE_HW_UNGUIDED, 0, MPI_INFO_NULL, &part));
    if (part != MPI_COMM_NULL) {
      EXPECT_LT(others(part).size() + static_cast<std::size_t>(ranks::count(part)), before);
    }
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    comm = part;
  }
}

TEST_F(Inter, CreateTakesASubgroupOfEach) {
  MPI_Group group, last;
  ASSERT_MPI_OK(MPI_Comm_group(inter, &group));
  const int rank = local - 1;
  ASSERT_MPI_OK(MPI_Group_incl(group, 1, &rank, &last));
  MPI_Comm pair;
  ASSERT_MPI_OK(MPI_Comm_create(inter, last, &pair));
  EXPECT_EQ(pair != MPI_COMM_NULL, me == rank);
  if (pair != MPI_COMM_NULL) {
    EXPECT_EQ(others(pair), std::vector<int>{2 * (remote - 1) + 1 - side});
    ASSERT_MPI_OK(MPI_Comm_free(&pair));
  }
  ASSERT_MPI_OK(MPI_Comm_create(inter, side ? MPI_GROUP_EMPTY : group, &pair));
  EXPECT_EQ(pair, MPI_COMM_NULL) << "one side is empty";
  MPI_Group far;
  ASSERT_MPI_OK(MPI_Comm_remote_group(inter, &far));
  EXPECT_MPI_ERROR(MPI_Comm_create(inter, far, &pair), MPI_ERR_GROUP);
  for (MPI_Group* one : {&group, &last, &far}) ASSERT_MPI_OK(MPI_Group_free(one));
}

TEST_F(Inter, DuplicatesWithoutWaiting) {
  MPI_Comm copies[3];
  MPI_Request requests[3];
  for (int i = 0; i < 3; ++i) ASSERT_MPI_OK(MPI_Comm_idup(inter, &copies[i], &requests[i]));
  ASSERT_MPI_OK(MPI_Waitall(3, requests, MPI_STATUSES_IGNORE));
  // Messages of one do not reach another.
  const int peer = me < remote ? me : int{MPI_PROC_NULL};
  int out[3], in[3];
  for (int i = 0; i < 3; ++i) in[i] = peer == MPI_PROC_NULL ? i : -1;
  MPI_Request receives[3];
  for (int i = 0; i < 3; ++i) ASSERT_MPI_OK(MPI_Irecv(&in[i], 1, MPI_INT, peer, 1, copies[i], &receives[i]));
  for (int i = 2; i >= 0; --i) {
    out[i] = i;
    ASSERT_MPI_OK(MPI_Send(&out[i], 1, MPI_INT, peer, 1, copies[i]));
  }
  ASSERT_MPI_OK(MPI_Waitall(3, receives, MPI_STATUSES_IGNORE));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in[i], i);
  for (MPI_Comm& copy : copies) {
    EXPECT_EQ(others(copy).size(), static_cast<std::size_t>(remote));
    ASSERT_MPI_OK(MPI_Comm_free(&copy));
  }
}

TEST_F(Inter, Refusals) {
  MPI_Comm out;
  MPI_Group group;
  EXPECT_MPI_ERROR(MPI_Comm_split(inter, -3, 0, &out), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Comm_group(inter, &group));
  EXPECT_MPI_ERROR(MPI_Comm_create_group(inter, group, 1, &out), MPI_ERR_COMM);
  EXPECT_MPI_ERROR(MPI_Comm_split_type(inter, 12'345, 0, MPI_INFO_NULL, &out), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Group_free(&group));
}

}  // namespace
