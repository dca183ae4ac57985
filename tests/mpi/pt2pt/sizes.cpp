// Sizes from nothing to 64 MiB, to others, to oneself and to nobody, both ways at once, and from many to one.
#include "support/ranks.hpp"

namespace {

using Bytes = std::vector<unsigned char>;

void both_ways(int size, int peer, int tag) {
  const int me = ranks::rank();
  const Bytes out = ranks::pattern(static_cast<std::uint64_t>(me), static_cast<std::size_t>(size));
  Bytes in(static_cast<std::size_t>(size) + 1, 0xEE);
  MPI_Request requests[2];
  MPI_Status statuses[2];
  ASSERT_MPI_OK(MPI_Irecv(in.data(), size, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &requests[0]));
  ASSERT_MPI_OK(MPI_Isend(out.data(), size, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &requests[1]));
  ASSERT_MPI_OK(MPI_Waitall(2, requests, statuses));
  int count = -1;
  ASSERT_MPI_OK(MPI_Get_count(&statuses[0], MPI_BYTE, &count));
  ASSERT_EQ(count, size);
  ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(peer), static_cast<std::size_t>(size)), -1)
      << "size " << size;
  ASSERT_EQ(in.back(), 0xEE);
}

// Neighbours 0-1, 2-3, ... in both directions at once; the odd one out talks with itself.
int partner() {
  const int peer = ranks::rank() ^ 1;
  return peer < ranks::count() ? peer : ranks::rank();
}

TEST(Sizes, EverySmallOne) {
  for (int size = 0; size <= 300; ++size) both_ways(size, partner(), 1);
}

TEST(Sizes, AroundThePowersOfTwo) {
  for (int size = 512; size <= 1 << 20; size *= 2)
    for (const int more : {-1, 0, 1}) both_ways(size + more, partner(), 2);
}

TEST(Sizes, Large) {
  for (const int size : {5'000'000, 16 << 20}) both_ways(size, partner(), 3);
}

TEST(Sizes, SixtyFourMebibytes) {
  if (ranks::count() > 2) GTEST_SKIP() << "on two ranks only";
  both_ways(64 << 20, partner(), 4);
}

TEST(Sizes, ToOneself) {
  const int me = ranks::rank();
  for (const int size : {0, 1, 100, 16'000, 16'001, 3'000'000}) both_ways(size, me, 5);
  int out = 1, in = 0;  // the send comes first and must not wait for the receive
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Isend(&out, 1, MPI_INT, me, 6, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Recv(&in, 1, MPI_INT, MPI_ANY_SOURCE, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(in, 1);
  ASSERT_MPI_OK(MPI_Sendrecv(&out, 1, MPI_INT, 0, 0, &in, 1, MPI_INT, 0, 0, MPI_COMM_SELF, MPI_STATUS_IGNORE));
}

TEST(Sizes, ToNobody) {
  int in = 9;
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Send(&in, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Recv(&in, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD, &status));
  EXPECT_EQ(in, 9);
  EXPECT_EQ(status.MPI_SOURCE, MPI_PROC_NULL);
  EXPECT_EQ(status.MPI_TAG, MPI_ANY_TAG);
  int count = -1;
  ASSERT_MPI_OK(MPI_Get_count(&status, MPI_INT, &count));
  EXPECT_EQ(count, 0);
  ASSERT_MPI_OK(
      MPI_Sendrecv(&in, 1, MPI_INT, MPI_PROC_NULL, 0, &in, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &status));
  EXPECT_EQ(status.MPI_SOURCE, MPI_PROC_NULL);
}

TEST(Sizes, SendrecvRoundARing) {
  auto random = ranks::shared_random(3);
  const int n = ranks::count(), me = ranks::rank(), next = (me + 1) % n, previous = (me + n - 1) % n;
  for (int round = 0; round < 20; ++round) {
    const std::size_t size = ranks::pick_size(random, 1 << 20);
    const Bytes out = ranks::pattern(static_cast<std::uint64_t>(me), size);
    Bytes in(size);
    ASSERT_MPI_OK(MPI_Sendrecv(out.data(), static_cast<int>(size), MPI_BYTE, next, round, in.data(),
                               static_cast<int>(size), MPI_BYTE, previous, round, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous), size), -1) << "size " << size;
  }
}

TEST(Sizes, SendrecvReplace) {
  auto random = ranks::shared_random(4);
  const int n = ranks::count(), me = ranks::rank(), next = (me + 1) % n, previous = (me + n - 1) % n;
  for (int round = 0; round < 20; ++round) {
    const std::size_t size = ranks::pick_size(random, 1 << 20);
    Bytes data = ranks::pattern(static_cast<std::uint64_t>(me), size);
    MPI_Status status;
    ASSERT_MPI_OK(MPI_Sendrecv_replace(data.data(), static_cast<int>(size), MPI_BYTE, next, round, previous, round,
                                       MPI_COMM_WORLD, &status));
    EXPECT_EQ(status.MPI_SOURCE, previous);
    ASSERT_EQ(ranks::first_difference(data.data(), static_cast<std::uint64_t>(previous), size), -1) << "size " << size;
  }
}

// A buffer larger than the message: only the message is written, and the status tells how much that was.
TEST(Sizes, ShorterThanTheBuffer) {
  const int me = ranks::rank();
  for (const int size : {0, 10, 20'000}) {
    const Bytes out = ranks::pattern(1, static_cast<std::size_t>(size));
    Bytes in(100'000, 0xEE);
    MPI_Status status;
    ASSERT_MPI_OK(
        MPI_Sendrecv(out.data(), size, MPI_BYTE, me, 1, in.data(), 100'000, MPI_BYTE, me, 1, MPI_COMM_WORLD, &status));
    int count = -1;
    ASSERT_MPI_OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EXPECT_EQ(count, size);
    EXPECT_EQ(in.at(static_cast<std::size_t>(size)), 0xEE);
    ASSERT_MPI_OK(MPI_Get_count(&status, MPI_DOUBLE, &count));
    EXPECT_EQ(count, size % 8 ? MPI_UNDEFINED : size / 8);
  }
}

TEST(Sizes, ManyToOne) {
  auto random = ranks::own_random(5);
  constexpr int rounds = 60;
  if (ranks::rank() != 0) {
    for (int i = 0; i < rounds; ++i) {
      const std::size_t size = ranks::pick_size(random, 100'000);
      const Bytes out = ranks::pattern(static_cast<std::uint64_t>(i), size);
      ASSERT_MPI_OK(MPI_Send(out.data(), static_cast<int>(size), MPI_BYTE, 0, 21, MPI_COMM_WORLD));
    }
    return;
  }
  std::vector<int> next(static_cast<std::size_t>(ranks::count()), 0);
  Bytes in(100'000);
  for (int i = 0; i < rounds * (ranks::count() - 1); ++i) {
    MPI_Status status;
    int size = 0;
    ASSERT_MPI_OK(MPI_Recv(in.data(), 100'000, MPI_BYTE, MPI_ANY_SOURCE, 21, MPI_COMM_WORLD, &status));
    ASSERT_MPI_OK(MPI_Get_count(&status, MPI_BYTE, &size));
    const int number = next.at(static_cast<std::size_t>(status.MPI_SOURCE))++;
    ASSERT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(number), static_cast<std::size_t>(size)),
              -1)
        << "message " << number << " of rank " << status.MPI_SOURCE;
  }
}

#if MPI_VERSION >= 4
TEST(Sizes, LargeCountForms) {
  const int me = ranks::rank(), n = ranks::count(), next = (me + 1) % n, previous = (me + n - 1) % n;
  const MPI_Count size = 50'000;
  const Bytes out = ranks::pattern(static_cast<std::uint64_t>(me), 50'000);
  Bytes in(50'000);
  MPI_Request request;
  MPI_Status status;
  MPI_Count count = -1;
  ASSERT_MPI_OK(MPI_Irecv_c(in.data(), size, MPI_BYTE, previous, 1, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Send_c(out.data(), size, MPI_BYTE, next, 1, MPI_COMM_WORLD));
  ASSERT_MPI_OK(MPI_Wait(&request, &status));
  ASSERT_MPI_OK(MPI_Get_count_c(&status, MPI_BYTE, &count));
  EXPECT_EQ(count, size);
  EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous), 50'000), -1);
  ASSERT_MPI_OK(MPI_Sendrecv_c(out.data(), size, MPI_BYTE, next, 2, in.data(), size, MPI_BYTE, previous, 2,
                               MPI_COMM_WORLD, &status));
  MPI_Message message;
  ASSERT_MPI_OK(MPI_Isend_c(out.data(), size, MPI_BYTE, next, 3, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Mprobe(previous, 3, MPI_COMM_WORLD, &message, &status));
  ASSERT_MPI_OK(MPI_Mrecv_c(in.data(), size, MPI_BYTE, &message, &status));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(previous), 50'000), -1);
}
#endif

}  // namespace
