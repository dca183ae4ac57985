// Groups and the local questions about communicators, through the C functions, as a job of one. What groups do with
// many processes is in group_test.cpp.
#include <cstring>
#include <vector>

#include "refuse.hpp"

namespace cow::test {
namespace {

using GroupCalls = Returning;
using CommCalls = Returning;

int size_of(MPI_Group group) {
  int size = -1;
  EXPECT_OK(MPI_Group_size(group, &size));
  return size;
}

TEST_F(GroupCalls, OfACommunicator) {
  MPI_Group world, again;
  ASSERT_OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
  ASSERT_OK(MPI_Comm_group(MPI_COMM_WORLD, &again));
  int rank, likeness, size;
  ASSERT_OK(MPI_Comm_size(MPI_COMM_WORLD, &size));
  EXPECT_EQ(size_of(world), size);
  ASSERT_OK(MPI_Group_rank(world, &rank));
  EXPECT_EQ(rank, 0);
  ASSERT_OK(MPI_Group_compare(world, again, &likeness));
  EXPECT_EQ(likeness, MPI_IDENT);
  ASSERT_OK(MPI_Group_compare(world, MPI_GROUP_EMPTY, &likeness));
  EXPECT_EQ(likeness, MPI_UNEQUAL);
  ASSERT_OK(MPI_Group_free(&again));
  EXPECT_EQ(again, MPI_GROUP_NULL);
  EXPECT_EQ(size_of(world), size);
  MPI_Group freed = world;
  ASSERT_OK(MPI_Group_free(&world));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_size(freed, &size));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_free(&world));
}

TEST_F(GroupCalls, TheEmptyOne) {
  EXPECT_EQ(size_of(MPI_GROUP_EMPTY), 0);
  int rank;
  ASSERT_OK(MPI_Group_rank(MPI_GROUP_EMPTY, &rank));
  EXPECT_EQ(rank, MPI_UNDEFINED);
  MPI_Group world, none;
  ASSERT_OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
  ASSERT_OK(MPI_Group_incl(world, 0, nullptr, &none));
  EXPECT_EQ(none, MPI_GROUP_EMPTY);
  ASSERT_OK(MPI_Group_difference(world, world, &none));
  EXPECT_EQ(none, MPI_GROUP_EMPTY);
  ASSERT_OK(MPI_Group_free(&none));
  EXPECT_EQ(size_of(MPI_GROUP_EMPTY), 0);
  ASSERT_OK(MPI_Group_free(&world));
}

TEST_F(GroupCalls, MadeFromOthers) {
  MPI_Group world, made;
  ASSERT_OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
  const int zero[] = {0};
  int ranges[][3] = {{0, 0, 1}};
  const auto expect = [&](int size) {
    EXPECT_EQ(size_of(made), size);
    EXPECT_OK(MPI_Group_free(&made));
  };
  ASSERT_OK(MPI_Group_incl(world, 1, zero, &made));
  expect(1);
  ASSERT_OK(MPI_Group_excl(world, 1, zero, &made));
  expect(0);
  ASSERT_OK(MPI_Group_range_incl(world, 1, ranges, &made));
  expect(1);
  ASSERT_OK(MPI_Group_range_excl(world, 1, ranges, &made));
  expect(0);
  ASSERT_OK(MPI_Group_union(world, MPI_GROUP_EMPTY, &made));
  expect(1);
  ASSERT_OK(MPI_Group_intersection(world, world, &made));
  expect(1);
  int out[2];
  const int ranks[] = {0, MPI_PROC_NULL};
  ASSERT_OK(MPI_Group_translate_ranks(world, 2, ranks, MPI_GROUP_EMPTY, out));
  EXPECT_EQ(out[0], MPI_UNDEFINED);
  EXPECT_EQ(out[1], MPI_PROC_NULL);
  ASSERT_OK(MPI_Group_free(&world));
}

TEST_F(GroupCalls, AreRefused) {
  MPI_Group world, made = MPI_GROUP_NULL;
  ASSERT_OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
  const int missing[] = {7}, twice[] = {0, 0}, negative[] = {-1};
  int no_step[][3] = {{0, 0, 0}}, too_far[][3] = {{0, 9, 1}}, again[][3] = {{0, 0, 1}, {0, 0, 1}};
  int out;
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_incl(world, 1, missing, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_incl(world, 2, twice, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_excl(world, 1, negative, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_excl(world, 2, twice, &made));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Group_incl(world, -1, twice, &made));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Group_incl(world, 1, nullptr, &made));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Group_range_incl(world, 1, no_step, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_range_incl(world, 1, too_far, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_range_excl(world, 2, again, &made));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Group_translate_ranks(world, 1, missing, world, &out));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_translate_ranks(world, 1, twice, MPI_GROUP_NULL, &out));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_union(world, MPI_GROUP_NULL, &made));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_intersection(MPI_GROUP_NULL, world, &made));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_difference(world, made_up<MPI_Group>(), &made));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_compare(world, MPI_GROUP_NULL, &out));
  EXPECT_REFUSED(MPI_ERR_GROUP, MPI_Group_rank(MPI_GROUP_NULL, &out));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Group_size(world, nullptr));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_group(MPI_COMM_NULL, &made));
  EXPECT_EQ(made, MPI_GROUP_NULL);
  ASSERT_OK(MPI_Group_free(&world));
}

TEST_F(CommCalls, TellWhatTheyAre) {
  int number, flag, likeness;
  ASSERT_OK(MPI_Comm_size(MPI_COMM_SELF, &number));
  EXPECT_EQ(number, 1);
  ASSERT_OK(MPI_Comm_rank(MPI_COMM_SELF, &number));
  EXPECT_EQ(number, 0);
  ASSERT_OK(MPI_Comm_test_inter(MPI_COMM_WORLD, &flag));
  EXPECT_EQ(flag, 0);
  ASSERT_OK(MPI_Comm_compare(MPI_COMM_WORLD, MPI_COMM_WORLD, &likeness));
  EXPECT_EQ(likeness, MPI_IDENT);
  ASSERT_OK(MPI_Comm_compare(MPI_COMM_WORLD, MPI_COMM_SELF, &likeness));
  EXPECT_EQ(likeness, MPI_CONGRUENT);  // a job of one
  MPI_Comm parent = MPI_COMM_WORLD;
  ASSERT_OK(MPI_Comm_get_parent(&parent));
  EXPECT_EQ(parent, MPI_COMM_NULL);
  MPI_Group group;
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_remote_size(MPI_COMM_WORLD, &number));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_remote_group(MPI_COMM_WORLD, &group));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_size(MPI_COMM_NULL, &number));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_rank(made_up<MPI_Comm>(), &number));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Comm_rank(MPI_COMM_WORLD, nullptr));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_test_inter(MPI_COMM_NULL, &flag));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_compare(MPI_COMM_WORLD, MPI_COMM_NULL, &likeness));
}

TEST_F(CommCalls, Names) {
  char name[MPI_MAX_OBJECT_NAME];
  int length;
  ASSERT_OK(MPI_Comm_get_name(MPI_COMM_WORLD, name, &length));
  EXPECT_STREQ(name, "MPI_COMM_WORLD");
  EXPECT_EQ(length, 14);
  ASSERT_OK(MPI_Comm_set_name(MPI_COMM_SELF, std::string(500, 's').c_str()));
  ASSERT_OK(MPI_Comm_get_name(MPI_COMM_SELF, name, &length));
  EXPECT_EQ(length, MPI_MAX_OBJECT_NAME - 1);
  ASSERT_OK(MPI_Comm_set_name(MPI_COMM_SELF, "MPI_COMM_SELF"));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Comm_set_name(MPI_COMM_SELF, nullptr));
  ASSERT_OK(MPI_Comm_get_name(MPI_COMM_NULL, name, &length));
  EXPECT_STREQ(name, "MPI_COMM_NULL");
  EXPECT_EQ(length, 13);
  ASSERT_OK(MPI_Win_get_name(MPI_WIN_NULL, name, &length));
  EXPECT_STREQ(name, "MPI_WIN_NULL");
  EXPECT_EQ(length, 12);
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_get_name(made_up<MPI_Comm>(), name, &length));
  EXPECT_REFUSED(MPI_ERR_WIN, MPI_Win_get_name(made_up<MPI_Win>(), name, &length));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_set_name(MPI_COMM_NULL, "x"));
}

TEST_F(CommCalls, Hints) {
  MPI_Info hints, used;
  ASSERT_OK(MPI_Info_create(&hints));
  ASSERT_OK(MPI_Info_set(hints, "mpi_assert_no_any_tag", "true"));
  ASSERT_OK(MPI_Info_set(hints, "of_nobody", "true"));
  ASSERT_OK(MPI_Comm_set_info(MPI_COMM_SELF, hints));
  ASSERT_OK(MPI_Comm_set_info(MPI_COMM_SELF, MPI_INFO_NULL));
  ASSERT_OK(MPI_Comm_get_info(MPI_COMM_SELF, &used));
  int keys, length = 8, flag;
  char value[8];
  ASSERT_OK(MPI_Info_get_nkeys(used, &keys));
  EXPECT_EQ(keys, 3);  // this, the send mode in force, and the kinds of memory
  ASSERT_OK(MPI_Info_get_string(used, "cow_send_mode", &length, value, &flag));
  EXPECT_EQ(flag, 1);
  length = 8;
  ASSERT_OK(MPI_Info_get_string(used, "mpi_assert_no_any_tag", &length, value, &flag));
  EXPECT_EQ(flag, 1);
  EXPECT_STREQ(value, "true");
  ASSERT_OK(MPI_Info_set(hints, "mpi_assert_no_any_tag", "false"));
  ASSERT_OK(MPI_Comm_set_info(MPI_COMM_SELF, hints));
  ASSERT_OK(MPI_Info_free(&used));
  ASSERT_OK(MPI_Info_free(&hints));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Comm_set_info(MPI_COMM_SELF, made_up<MPI_Info>()));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_get_info(MPI_COMM_NULL, &used));
}

TEST_F(CommCalls, ThePredefinedOnesStay) {
  MPI_Comm world = MPI_COMM_WORLD, self = MPI_COMM_SELF, null = MPI_COMM_NULL;
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_free(&world));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_free(&self));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_free(&null));
  EXPECT_EQ(world, MPI_COMM_WORLD);
}

}  // namespace
}  // namespace cow::test
