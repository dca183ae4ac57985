// Every thread level that is asked for is provided, and told: the test is built once for each.
#include <thread>

#include "support/ranks.hpp"

namespace {

TEST(Levels, AskedAndProvided) {
  int provided = -1, main_thread = 0;
  ASSERT_MPI_OK(MPI_Query_thread(&provided));
  EXPECT_GE(provided, COW_TEST_THREAD_LEVEL);
  if (!ranks::foreign()) {
    EXPECT_EQ(provided, COW_TEST_THREAD_LEVEL);
  }
  ASSERT_MPI_OK(MPI_Is_thread_main(&main_thread));
  EXPECT_TRUE(main_thread);
}

TEST(Levels, AnotherThreadIsNotTheMainOne) {
  if (COW_TEST_THREAD_LEVEL == MPI_THREAD_SINGLE) GTEST_SKIP() << "there is no other thread";
  int main_thread = 1;
  std::thread([&] { MPI_Is_thread_main(&main_thread); }).join();
  EXPECT_FALSE(main_thread);
}

// SERIALIZED: calls from several threads, one after the other.
TEST(Levels, ThreadsTakeTurns) {
  if (COW_TEST_THREAD_LEVEL < MPI_THREAD_SERIALIZED) GTEST_SKIP() << "only the main thread may call";
  const int me = ranks::rank(), n = ranks::count();
  for (int i = 0; i < 20; ++i) {
    int in = -1;
    std::thread([&] {
      MPI_Sendrecv(&me, 1, MPI_INT, (me + 1) % n, i, &in, 1, MPI_INT, (me + n - 1) % n, i, MPI_COMM_WORLD,
                   MPI_STATUS_IGNORE);
    }).join();
    EXPECT_EQ(in, (me + n - 1) % n);
  }
}

// Other threads that compute, and do not call, are allowed at every level but SINGLE.
TEST(Levels, MainThreadTalksWhileOthersCompute) {
  if (COW_TEST_THREAD_LEVEL == MPI_THREAD_SINGLE) GTEST_SKIP() << "there is no other thread";
  volatile long work = 0;
  std::thread other([&] {
    for (int i = 0; i < 1'000'000; ++i) work = work + i;
  });
  const int me = ranks::rank();
  int sum = 0;
  for (int i = 0; i < 20; ++i) MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  other.join();
  EXPECT_EQ(sum, ranks::count() * (ranks::count() - 1) / 2);
}

}  // namespace
