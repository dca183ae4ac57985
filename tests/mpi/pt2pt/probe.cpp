// The probe family: what is told before a message is received, and that a matched message is out of reach of others.
#include "support/ranks.hpp"

namespace {

int byte_count(const MPI_Status& status) {
  int count = -1;
  MPI_Get_count(&status, MPI_BYTE, &count);
  return count;
}

// Sizes unknown to the receiver, learnt by each of the four probes in turn.
TEST(Probe, TellsSourceTagAndSize) {
  NEED_RANKS(2);
  auto random = ranks::own_random(1);
  constexpr int rounds = 40;
  const int me = ranks::rank(), senders = ranks::count() - 1;
  if (me != 0) {
    for (int i = 0; i < rounds; ++i) {
      const std::size_t size = ranks::pick_size(random, 70'000);
      const int tag = static_cast<int>(size % 1'000);
      const auto out = ranks::pattern(size, size);
      ASSERT_MPI_OK(MPI_Send(out.data(), static_cast<int>(size), MPI_BYTE, 0, tag, MPI_COMM_WORLD));
    }
    return;
  }
  for (int i = 0; i < rounds * senders; ++i) {
    MPI_Status status;
    MPI_Message message = MPI_MESSAGE_NULL;
    int flag = 0;
    switch (i % 4) {
      case 0: ASSERT_MPI_OK(MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status)); break;
      case 1:
        while (!flag) ASSERT_MPI_OK(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &status));
        break;
      case 2: ASSERT_MPI_OK(MPI_Mprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &message, &status)); break;
      default:
        while (!flag) ASSERT_MPI_OK(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &message, &status));
        break;
    }
    const int size = byte_count(status);
    ASSERT_EQ(status.MPI_TAG, size % 1'000);
    std::vector<unsigned char> in(static_cast<std::size_t>(size));
    MPI_Status received;
    if (message == MPI_MESSAGE_NULL) {
      ASSERT_MPI_OK(MPI_Recv(in.data(), size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &received));
    } else if (i % 8 < 4) {
      ASSERT_MPI_OK(MPI_Mrecv(in.data(), size, MPI_BYTE, &message, &received));
      EXPECT_EQ(message, MPI_MESSAGE_NULL);
    } else {
      MPI_Request request;
      ASSERT_MPI_OK(MPI_Imrecv(in.data(), size, MPI_BYTE, &message, &request));
      EXPECT_EQ(message, MPI_MESSAGE_NULL);
      ASSERT_MPI_OK(MPI_Wait(&request, &received));
    }
    EXPECT_EQ(received.MPI_SOURCE, status.MPI_SOURCE);
    EXPECT_EQ(byte_count(received), size);
    EXPECT_EQ(ranks::first_difference(in.data(), static_cast<std::uint64_t>(size), in.size()), -1);
  }
}

TEST(Probe, NothingThere) {
  int flag = 7;
  MPI_Message message;
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Iprobe(MPI_ANY_SOURCE, 77, MPI_COMM_WORLD, &flag, &status));
  EXPECT_EQ(flag, 0);
  flag = 7;
  ASSERT_MPI_OK(MPI_Improbe(MPI_ANY_SOURCE, 77, MPI_COMM_WORLD, &flag, &message, &status));
  EXPECT_EQ(flag, 0);
  MPI_Barrier(MPI_COMM_WORLD);
}

// A message taken by Mprobe is not seen by a receive that would have matched it first.
TEST(Probe, MatchedMessageBelongsToItsHolder) {
  NEED_RANKS(2);
  if (ranks::rank() == 0) {
    for (int i = 1; i <= 2; ++i) ASSERT_MPI_OK(MPI_Send(&i, 1, MPI_INT, 1, 4, MPI_COMM_WORLD));
  } else if (ranks::rank() == 1) {
    MPI_Message message;
    int first = 0, second = 0;
    ASSERT_MPI_OK(MPI_Mprobe(0, 4, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Recv(&second, 1, MPI_INT, 0, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Mrecv(&first, 1, MPI_INT, &message, MPI_STATUS_IGNORE));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
  }
}

TEST(Probe, OfNobodyIsThereAtOnce) {
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Probe(MPI_PROC_NULL, 3, MPI_COMM_WORLD, &status));
  EXPECT_EQ(status.MPI_SOURCE, MPI_PROC_NULL);
  EXPECT_EQ(status.MPI_TAG, MPI_ANY_TAG);
  EXPECT_EQ(byte_count(status), 0);
  MPI_Message message;
  ASSERT_MPI_OK(MPI_Mprobe(MPI_PROC_NULL, 3, MPI_COMM_WORLD, &message, &status));
  EXPECT_EQ(message, MPI_MESSAGE_NO_PROC);
  ASSERT_MPI_OK(MPI_Mrecv(nullptr, 0, MPI_BYTE, &message, &status));
  EXPECT_EQ(status.MPI_SOURCE, MPI_PROC_NULL);
  EXPECT_EQ(message, MPI_MESSAGE_NULL);
}

// What a probe saw first is what the next receive gets, also after more has arrived.
TEST(Probe, IsTheMessageReceivedNext) {
  NEED_RANKS(2);
  if (ranks::rank() == 0) {
    for (int i = 0; i < 100; ++i) ASSERT_MPI_OK(MPI_Send(&i, i % 2, MPI_INT, 1, i, MPI_COMM_WORLD));
  } else if (ranks::rank() == 1) {
    for (int i = 0; i < 100; ++i) {
      MPI_Status status;
      int got = i;
      ASSERT_MPI_OK(MPI_Probe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
      EXPECT_EQ(status.MPI_TAG, i);
      ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
      EXPECT_EQ(status.MPI_TAG, i);
      EXPECT_EQ(got, i);
    }
  }
}

}  // namespace
