// Communicators: duplicates, splits, their separate worlds of messages, and the attributes of MPI_COMM_WORLD.
#include "support/ranks.hpp"

namespace {

TEST(Communicators, SplitByColourAndKey) {
  const int me = ranks::rank(), n = ranks::count();
  MPI_Comm part;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me % 3, -me, &part));  // keys turn the order round
  const int colour = me % 3, size = (n - colour + 2) / 3;
  EXPECT_EQ(ranks::count(part), size);
  EXPECT_EQ(ranks::rank(part), size - 1 - me / 3);
  int sum = 0;
  ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, part));
  int expected = 0;
  for (int rank = colour; rank < n; rank += 3) expected += rank;
  EXPECT_EQ(sum, expected);
  ASSERT_MPI_OK(MPI_Comm_free(&part));
  EXPECT_EQ(part, MPI_COMM_NULL);
}

TEST(Communicators, SplitWithEqualKeysKeepsTheOrder) {
  MPI_Comm same;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, 0, 0, &same));
  EXPECT_EQ(ranks::rank(same), ranks::rank());
  int result = -1;
  ASSERT_MPI_OK(MPI_Comm_compare(MPI_COMM_WORLD, same, &result));
  EXPECT_EQ(result, MPI_CONGRUENT);
  ASSERT_MPI_OK(MPI_Comm_free(&same));
}

TEST(Communicators, SplitWithoutColourGivesNone) {
  const int me = ranks::rank();
  MPI_Comm part;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me == 0 ? MPI_UNDEFINED : 1, me, &part));
  if (me == 0) {
    EXPECT_EQ(part, MPI_COMM_NULL);
  } else {
    EXPECT_EQ(ranks::count(part), ranks::count() - 1);
    EXPECT_EQ(ranks::rank(part), me - 1);
    ASSERT_MPI_OK(MPI_Comm_free(&part));
  }
}

// The same peers and tags on many communicators at once, received in another order than sent.
TEST(Communicators, ManyAtOnceDoNotMix) {
  constexpr int many = 40;
  const int me = ranks::rank(), n = ranks::count(), next = (me + 1) % n, previous = (me + n - 1) % n;
  std::vector<MPI_Comm> comms(many);
  for (int i = 0; i < many; ++i) ASSERT_MPI_OK(MPI_Comm_dup(i % 2 ? comms.at(i - 1) : MPI_COMM_WORLD, &comms.at(i)));
  std::vector<int> out(many), in(many, -1);
  std::vector<MPI_Request> sends(many), receives(many);
  for (int i = many - 1; i >= 0; --i)
    ASSERT_MPI_OK(MPI_Irecv(&in.at(i), 1, MPI_INT, previous, 1, comms.at(i), &receives.at(i)));
  for (int i = 0; i < many; ++i) {
    out.at(i) = me * 1'000 + i;
    ASSERT_MPI_OK(MPI_Isend(&out.at(i), 1, MPI_INT, next, 1, comms.at(i), &sends.at(i)));
  }
  ASSERT_MPI_OK(MPI_Waitall(many, sends.data(), MPI_STATUSES_IGNORE));
  ASSERT_MPI_OK(MPI_Waitall(many, receives.data(), MPI_STATUSES_IGNORE));
  for (int i = 0; i < many; ++i) EXPECT_EQ(in.at(i), previous * 1'000 + i);
  for (int i = 0; i < many; ++i) {
    int sum = 0;
    ASSERT_MPI_OK(MPI_Allreduce(&i, &sum, 1, MPI_INT, MPI_SUM, comms.at(i)));
    EXPECT_EQ(sum, i * n);
  }
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Point-to-point messages of a wildcard receive never meet those of a collective on the same communicator.
TEST(Communicators, CollectivesDoNotMeetWildcards) {
  const int me = ranks::rank(), n = ranks::count();
  int got = -1, sum = 0;
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request));
  for (int i = 0; i < 20; ++i) ASSERT_MPI_OK(MPI_Allreduce(&i, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(sum, 19 * n);
  const int out = me;
  ASSERT_MPI_OK(MPI_Send(&out, 1, MPI_INT, (me + 1) % n, 2, MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(got, (me + n - 1) % n);
}

// Contexts never run out: many more duplicates, one after the other, than any fixed number of ids.
TEST(Communicators, DuplicateAndFreeManyTimes) {
  if (ranks::count() > 4) GTEST_SKIP() << "on at most four ranks";
  for (int i = 0; i < 3'000; ++i) {
    MPI_Comm copy;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &copy));
    ASSERT_MPI_OK(MPI_Comm_free(&copy));
  }
}

// A communicator that is freed with a message on the way still delivers it.
TEST(Communicators, FreedWithAMessageOnTheWay) {
  const int me = ranks::rank(), n = ranks::count();
  MPI_Comm copy;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &copy));
  int in = -1;
  MPI_Request requests[2];
  ASSERT_MPI_OK(MPI_Irecv(&in, 1, MPI_INT, (me + n - 1) % n, 3, copy, &requests[0]));
  ASSERT_MPI_OK(MPI_Isend(&me, 1, MPI_INT, (me + 1) % n, 3, copy, &requests[1]));
  ASSERT_MPI_OK(MPI_Comm_free(&copy));
  ASSERT_MPI_OK(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE));
  EXPECT_EQ(in, (me + n - 1) % n);
}

// Disconnecting waits for what is under way: sends that the program has not waited for, and collectives.
TEST(Communicators, Disconnect) {
  const int me = ranks::rank(), n = ranks::count();
  MPI_Comm copy;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &copy));
  std::vector<int> out(100'000, me), in(100'000, -1);
  int sum = -1;
  MPI_Request requests[3];
  ASSERT_MPI_OK(MPI_Irecv(in.data(), 100'000, MPI_INT, (me + n - 1) % n, 3, copy, &requests[0]));
  ASSERT_MPI_OK(MPI_Isend(out.data(), 100'000, MPI_INT, (me + 1) % n, 3, copy, &requests[1]));
  ASSERT_MPI_OK(MPI_Iallreduce(&me, &sum, 1, MPI_INT, MPI_SUM, copy, &requests[2]));
  ASSERT_MPI_OK(MPI_Comm_disconnect(&copy));
  EXPECT_EQ(copy, MPI_COMM_NULL);
  EXPECT_EQ(in.back(), (me + n - 1) % n);
  EXPECT_EQ(sum, n * (n - 1) / 2);
  int flag = 0;
  ASSERT_MPI_OK(MPI_Testall(3, requests, &flag, MPI_STATUSES_IGNORE));
  EXPECT_TRUE(flag);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm world = MPI_COMM_WORLD;
  EXPECT_MPI_ERROR(MPI_Comm_disconnect(&world), MPI_ERR_COMM);
  EXPECT_EQ(world, MPI_COMM_WORLD);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
}

int attribute(int key) {
  int* value = nullptr;
  int flag = 0;
  MPI_Comm_get_attr(MPI_COMM_WORLD, key, &value, &flag);
  return flag && value ? *value : -1;
}

TEST(Communicators, PredefinedAttributes) {
  EXPECT_GE(attribute(MPI_TAG_UB), 32'767);
  const int global = attribute(MPI_WTIME_IS_GLOBAL);
  EXPECT_TRUE(global == 0 || global == 1);
  const bool launched = getenv("COW_TEST_MPIRUN") != nullptr;  // a job of one alone knows of no universe
  if (launched && !ranks::foreign()) {
    EXPECT_GE(attribute(MPI_UNIVERSE_SIZE), ranks::count());
    EXPECT_EQ(attribute(MPI_APPNUM), 0);
  }
}

TEST(Communicators, Names) {
  char name[MPI_MAX_OBJECT_NAME];
  int length = 0;
  ASSERT_MPI_OK(MPI_Comm_get_name(MPI_COMM_WORLD, name, &length));
  EXPECT_STREQ(name, "MPI_COMM_WORLD");
  MPI_Comm copy;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &copy));
  ASSERT_MPI_OK(MPI_Comm_get_name(copy, name, &length));
  EXPECT_EQ(length, 0);
  ASSERT_MPI_OK(MPI_Comm_set_name(copy, "herd"));
  ASSERT_MPI_OK(MPI_Comm_get_name(copy, name, &length));
  EXPECT_STREQ(name, "herd");
  ASSERT_MPI_OK(MPI_Comm_free(&copy));
}

}  // namespace
