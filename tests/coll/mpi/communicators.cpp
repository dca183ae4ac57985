// Communicators made from others.
#include <tuple>

#include "support/ranks.hpp"

namespace {

// Sum of the ranks of MPI_COMM_WORLD over a communicator: shows who is in it and that it works.
int members(MPI_Comm comm) {
  const int own = 1 << ranks::rank();
  int all = 0;
  EXPECT_MPI_OK(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_BOR, comm));
  return all;
}

TEST(Communicators, SplitByColourOrderedByKey) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm part;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me % 2, -me, &part));
  const int size = (n + 1 - me % 2) / 2;
  EXPECT_EQ(ranks::count(part), size);
  EXPECT_EQ(ranks::rank(part), size - 1 - me / 2);
  int expected = 0;
  for (int r = me % 2; r < n; r += 2) expected |= 1 << r;
  EXPECT_EQ(members(part), expected);
  ASSERT_MPI_OK(MPI_Comm_free(&part));
  EXPECT_EQ(part, MPI_COMM_NULL);
}

TEST(Communicators, SplitWithEqualKeysKeepsTheOrderAndUndefinedGetsNull) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm part;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me == 0 ? MPI_UNDEFINED : 5, 0, &part));
  if (me == 0) {
    EXPECT_EQ(part, MPI_COMM_NULL);
    return;
  }
  EXPECT_EQ(ranks::count(part), n - 1);
  EXPECT_EQ(ranks::rank(part), me - 1);
  ASSERT_MPI_OK(MPI_Comm_free(&part));
}

TEST(Communicators, SplitOfSplits) {
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  while (ranks::count(comm) > 1) {
    MPI_Comm half;
    ASSERT_MPI_OK(MPI_Comm_split(comm, ranks::rank(comm) % 2, 0, &half));
    const int size = ranks::count(half);
    int sum = 0;
    const int one = 1;
    ASSERT_MPI_OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, half));
    EXPECT_EQ(sum, size);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    comm = half;
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(Communicators, MessagesOfADuplicateAreItsOwn) {
  NEED_RANKS(2);
  const int me = ranks::rank();
  MPI_Comm twin;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &twin));
  int relation;
  ASSERT_MPI_OK(MPI_Comm_compare(MPI_COMM_WORLD, twin, &relation));
  EXPECT_EQ(relation, MPI_CONGRUENT);
  int first = 1, second = 2;
  if (me == 0) {
    ASSERT_MPI_OK(MPI_Send(&first, 1, MPI_INT, 1, 3, MPI_COMM_WORLD));
    ASSERT_MPI_OK(MPI_Send(&second, 1, MPI_INT, 1, 3, twin));
  } else if (me == 1) {
    int got = 0;
    ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, twin, MPI_STATUS_IGNORE));
    EXPECT_EQ(got, 2);
    ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EXPECT_EQ(got, 1);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&twin));
}

// Messages of a collective are not seen by a receive from anybody.
TEST(Communicators, CollectivesDoNotMeetWildcards) {
  int got = 0;
  MPI_Request wild;
  ASSERT_MPI_OK(MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &wild));
  members(MPI_COMM_WORLD);
  const int own = 17;
  ASSERT_MPI_OK(MPI_Send(&own, 1, MPI_INT, ranks::rank(), 1, MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Wait(&wild, MPI_STATUS_IGNORE));
  EXPECT_EQ(got, 17);
}

TEST(Communicators, CreateFromGroups) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Group world, mine;
  ASSERT_MPI_OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
  // Lower and upper half make a communicator each, in one call.
  const int half = n / 2;
  int range[1][3] = {{me < half ? 0 : half, me < half ? half - 1 : n - 1, 1}};
  ASSERT_MPI_OK(MPI_Group_range_incl(world, 1, range, &mine));
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_create(MPI_COMM_WORLD, mine, &comm));
  EXPECT_EQ(ranks::count(comm), me < half ? half : n - half);
  EXPECT_EQ(members(comm), me < half ? (1 << half) - 1 : (1 << n) - (1 << half));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
  // Only the members call.
  if (me >= half) {
    ASSERT_MPI_OK(MPI_Comm_create_group(MPI_COMM_WORLD, mine, 12, &comm));
    EXPECT_EQ(members(comm), (1 << n) - (1 << half));
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
  ASSERT_MPI_OK(MPI_Group_free(&mine));
  // Those outside of the group get nothing.
  const int first = 0;
  ASSERT_MPI_OK(MPI_Group_incl(world, 1, &first, &mine));
  ASSERT_MPI_OK(MPI_Comm_create(MPI_COMM_WORLD, mine, &comm));
  EXPECT_EQ(comm == MPI_COMM_NULL, me != 0);
  if (me == 0) {
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
  ASSERT_MPI_OK(MPI_Group_free(&mine));
  ASSERT_MPI_OK(MPI_Group_free(&world));
}

TEST(Communicators, SplitTypeSharedIsTheNode) {
  MPI_Comm node;
  ASSERT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  ASSERT_NE(node, MPI_COMM_NULL);
  EXPECT_NE(members(node) & 1 << ranks::rank(), 0);
  ASSERT_MPI_OK(MPI_Comm_free(&node));
  ASSERT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_UNDEFINED, 0, MPI_INFO_NULL, &node));
  EXPECT_EQ(node, MPI_COMM_NULL);
}

// Odd and even ranks of the world as the two groups.
MPI_Comm odd_and_even(MPI_Comm* part) {
  const int me = ranks::rank();
  MPI_Comm inter = MPI_COMM_NULL;
  EXPECT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me % 2, 0, part));
  EXPECT_MPI_OK(MPI_Intercomm_create(*part, 0, MPI_COMM_WORLD, 1 - me % 2, 9, &inter));
  return inter;
}

TEST(Communicators, IntercommunicatorsTalkAcross) {
  NEED_RANKS(2);
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm part, inter = odd_and_even(&part);
  int remote = 0;
  ASSERT_MPI_OK(MPI_Comm_remote_size(inter, &remote));
  EXPECT_EQ(ranks::count(inter), ranks::count(part));
  EXPECT_EQ(remote, n - ranks::count(part));
  // Everybody tells everybody across who it is.
  std::vector<MPI_Request> sends(static_cast<std::size_t>(remote));
  for (int r = 0; r < remote; ++r) {
    ASSERT_MPI_OK(MPI_Isend(&me, 1, MPI_INT, r, 4, inter, &sends[static_cast<std::size_t>(r)]));
  }
  for (int r = 0; r < remote; ++r) {
    int got = -1;
    ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_INT, r, 4, inter, MPI_STATUS_IGNORE));
    EXPECT_EQ(got, 2 * r + 1 - me % 2);
  }
  ASSERT_MPI_OK(MPI_Waitall(remote, sends.data(), MPI_STATUSES_IGNORE));
  // A duplicate works after the original is gone.
  MPI_Comm twin;
  ASSERT_MPI_OK(MPI_Comm_dup(inter, &twin));
  ASSERT_MPI_OK(MPI_Comm_free(&inter));
  int own = 1 << me, across = 0;
  ASSERT_MPI_OK(MPI_Allreduce(&own, &across, 1, MPI_INT, MPI_BOR, twin));
  ASSERT_MPI_OK(MPI_Allreduce(&across, &own, 1, MPI_INT, MPI_BOR, part));
  EXPECT_EQ(own & 1 << me, 0);
  EXPECT_EQ(own, ((1 << n) - 1) & (me % 2 ? 0x55555555 : 0x2aaaaaaa));
  ASSERT_MPI_OK(MPI_Comm_free(&twin));
  ASSERT_MPI_OK(MPI_Comm_free(&part));
}

TEST(Communicators, MergedGroupsStandInTheOrderAskedFor) {
  NEED_RANKS(2);
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm part, inter = odd_and_even(&part);
  for (const int high : {0, 1}) {
    MPI_Comm merged;
    const bool last = (me % 2 == 1) == (high == 1);  // the odd ones are high, then the even ones
    ASSERT_MPI_OK(MPI_Intercomm_merge(inter, last, &merged));
    EXPECT_EQ(ranks::count(merged), n);
    EXPECT_EQ(ranks::rank(merged), me / 2 + (last ? n - ranks::count(part) : 0));
    EXPECT_EQ(members(merged), (1 << n) - 1);
    ASSERT_MPI_OK(MPI_Comm_free(&merged));
  }
  MPI_Comm merged;
  ASSERT_MPI_OK(MPI_Intercomm_merge(inter, 0, &merged));  // nobody is high: any order, but one
  EXPECT_EQ(members(merged), (1 << n) - 1);
  ASSERT_MPI_OK(MPI_Comm_free(&merged));
  ASSERT_MPI_OK(MPI_Comm_free(&inter));
  ASSERT_MPI_OK(MPI_Comm_free(&part));
}

int copies, deletions;
int count_copy(MPI_Comm, int, void*, void* in, void* out, int* flag) {
  ++copies;
  *static_cast<void**>(out) = in;
  return *flag = 1, MPI_SUCCESS;
}
int count_deletion(MPI_Comm, int, void*, void*) { return ++deletions, MPI_SUCCESS; }

TEST(Communicators, AttributesAreCopiedAndDeleted) {
  int keyval, flag, value = 5;
  void* got = nullptr;
  MPI_Comm first, second;
  copies = deletions = 0;
  ASSERT_MPI_OK(MPI_Comm_create_keyval(count_copy, count_deletion, &keyval, nullptr));
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &first));
  ASSERT_MPI_OK(MPI_Comm_set_attr(first, keyval, &value));
  ASSERT_MPI_OK(MPI_Comm_dup(first, &second));
  ASSERT_MPI_OK(MPI_Comm_get_attr(second, keyval, &got, &flag));
  EXPECT_TRUE(flag);
  EXPECT_EQ(got, &value);
  EXPECT_EQ(copies, 1);
  ASSERT_MPI_OK(MPI_Comm_free(&second));
  ASSERT_MPI_OK(MPI_Comm_free(&first));
  EXPECT_EQ(deletions, 2);
  ASSERT_MPI_OK(MPI_Comm_free_keyval(&keyval));
}

#ifdef COW_ALGORITHMS
// An algorithm or layout that does not exist is an error of the first collective, with the names that do.
TEST(Communicators, WrongHintsAreRefused) {
  MPI_Info info;
  for (const auto& [key, value, told] :
       {std::tuple{"cow_coll", "allreduce=circle", "doubling"}, {"cow_layout", "torus:7x11", "it would fit"}}) {
    ranks::ReturningComm parent;
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Info_create(&info));
    ASSERT_MPI_OK(MPI_Info_set(info, key, value));
    ASSERT_MPI_OK(MPI_Comm_dup_with_info(parent, info, &comm));
    const int code = MPI_Barrier(comm);
    EXPECT_NE(code, MPI_SUCCESS);
    EXPECT_NE(ranks::error_text(code).find(told), std::string::npos) << ranks::error_text(code);
    ASSERT_MPI_OK(MPI_Info_free(&info));
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}
#endif

TEST(Communicators, ManyRoundsLeaveNothing) {
  for (int i = 0; i < 300; ++i) {
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}

}  // namespace
