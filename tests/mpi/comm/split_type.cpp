// MPI_Comm_split_type: groups are disjoint, in the order of their keys, and what is unknown gives no communicator.
#include "support/ranks.hpp"

namespace {

class SplitType : public testing::Test {
 protected:
  const int me = ranks::rank(), n = ranks::count();
  MPI_Info info = MPI_INFO_NULL;
  void SetUp() override { ASSERT_MPI_OK(MPI_Info_create(&info)); }
  void TearDown() override { ASSERT_MPI_OK(MPI_Info_free(&info)); }

  MPI_Comm split(int type, int key = 0) {
    MPI_Comm out = MPI_COMM_WORLD;
    EXPECT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, type, key, info, &out));
    return out;
  }

  // Every rank is in at most one group, and all members of it agree who is in it.
  void expect_partition(MPI_Comm part) {
    std::vector<int> members(static_cast<std::size_t>(n), -1), all(static_cast<std::size_t>(n) * n, -1);
    if (part != MPI_COMM_NULL) {
      std::vector<int> world(static_cast<std::size_t>(ranks::count(part)));
      ASSERT_MPI_OK(MPI_Allgather(&me, 1, MPI_INT, world.data(), 1, MPI_INT, part));
      for (const int rank : world) members.at(static_cast<std::size_t>(rank)) = world.front();
      EXPECT_EQ(members.at(static_cast<std::size_t>(me)), world.front());
    }
    ASSERT_MPI_OK(MPI_Allgather(members.data(), n, MPI_INT, all.data(), n, MPI_INT, MPI_COMM_WORLD));
    for (int r = 0; r < n; ++r) {
      const int mine = members.at(static_cast<std::size_t>(r));
      if (mine < 0) continue;
      for (int i = 0; i < n; ++i)
        EXPECT_EQ(all.at(static_cast<std::size_t>(r * n + i)), members.at(static_cast<std::size_t>(i)));
    }
  }
};

TEST_F(SplitType, SharedAndGuidedAgree) {
  MPI_Comm shared = split(MPI_COMM_TYPE_SHARED, -me);
  ASSERT_NE(shared, MPI_COMM_NULL);
  expect_partition(shared);
  EXPECT_LE(ranks::count(shared), n);
  int below = -1;
  ASSERT_MPI_OK(MPI_Exscan(&me, &below, 1, MPI_INT, MPI_MIN, shared));
  if (ranks::rank(shared) > 0) {
    EXPECT_GT(below, me) << "keys turn the order round";
  }
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_hw_resource_type", "mpi_shared_memory"));
  for (const int type : {MPI_COMM_TYPE_HW_GUIDED, MPI_COMM_TYPE_RESOURCE_GUIDED}) {
    MPI_Comm guided = split(type, -me);
    int result = -1;
    ASSERT_MPI_OK(MPI_Comm_compare(shared, guided, &result));
    EXPECT_EQ(result, MPI_CONGRUENT);
    ASSERT_MPI_OK(MPI_Comm_free(&guided));
  }
  ASSERT_MPI_OK(MPI_Comm_free(&shared));
}

TEST_F(SplitType, EveryKindThatHwlocNames) {
  MPI_Info kinds;
  ASSERT_MPI_OK(MPI_Get_hw_resource_info(&kinds));
  int count = 0;
  ASSERT_MPI_OK(MPI_Info_get_nkeys(kinds, &count));
  for (int i = 0; i < count; ++i) {
    char key[MPI_MAX_INFO_KEY + 1], value[8];
    int flag = 0, size = sizeof value;
    ASSERT_MPI_OK(MPI_Info_get_nthkey(kinds, i, key));
    ASSERT_MPI_OK(MPI_Info_get_string(kinds, key, &size, value, &flag));
    SCOPED_TRACE(key);
    ASSERT_MPI_OK(MPI_Info_set(info, "mpi_hw_resource_type", key));
    MPI_Comm part = split(MPI_COMM_TYPE_HW_GUIDED);
    EXPECT_EQ(part != MPI_COMM_NULL, std::string(value) == "true")
        << "a rank that is bound to one has company, or is alone";
    expect_partition(part);
    if (part != MPI_COMM_NULL) {
      ASSERT_MPI_OK(MPI_Comm_free(&part));
    }
  }
  ASSERT_MPI_OK(MPI_Info_free(&kinds));
}

TEST_F(SplitType, UnknownGivesNone) {
  EXPECT_EQ(split(MPI_COMM_TYPE_HW_GUIDED), MPI_COMM_NULL);
  EXPECT_EQ(split(MPI_COMM_TYPE_RESOURCE_GUIDED), MPI_COMM_NULL);
  EXPECT_EQ(split(MPI_UNDEFINED), MPI_COMM_NULL);
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_hw_resource_type", "hwloc://Warp"));
  EXPECT_EQ(split(MPI_COMM_TYPE_HW_GUIDED), MPI_COMM_NULL);
}

TEST_F(SplitType, ByProcessSets) {
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_pset_name", "mpi://WORLD"));
  MPI_Comm all = split(MPI_COMM_TYPE_RESOURCE_GUIDED);
  EXPECT_EQ(ranks::count(all), n);
  ASSERT_MPI_OK(MPI_Comm_free(&all));
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_pset_name", "mpi://SELF"));
  MPI_Comm self = split(MPI_COMM_TYPE_RESOURCE_GUIDED);
  EXPECT_EQ(ranks::count(self), 1);
  ASSERT_MPI_OK(MPI_Comm_free(&self));
}

// Again and again, down to ranks that nothing separates: it ends.
TEST_F(SplitType, UnguidedGoesDown) {
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int depth = 0; comm != MPI_COMM_NULL; ++depth) {
    ASSERT_LT(depth, 20);
    const int size = ranks::count(comm);
    MPI_Comm part;
    ASSERT_MPI_OK(MPI_Comm_split_type(comm, MPI_COMM_TYPE_HW_UNGUIDED, 0, MPI_INFO_NULL, &part));
    if (part != MPI_COMM_NULL) {
      EXPECT_LT(ranks::count(part), size);
    }
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    comm = part;
  }
}

TEST_F(SplitType, Refusals) {
  const ranks::ReturningComm comm;
  MPI_Comm out;
  EXPECT_MPI_ERROR(MPI_Comm_split_type(comm, 12'345, 0, MPI_INFO_NULL, &out), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_hw_resource_type", "mpi_shared_memory"));
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_pset_name", "mpi://WORLD"));
  EXPECT_MPI_ERROR(MPI_Comm_split_type(comm, MPI_COMM_TYPE_RESOURCE_GUIDED, 0, info, &out), MPI_ERR_INFO);
  EXPECT_MPI_ERROR(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, nullptr), MPI_ERR_ARG);
}

}  // namespace
