// Conclusions from the lines that waiting ranks write.
#include "launcher/mpirun/why.hpp"

#include <gtest/gtest.h>

namespace cow::launch {
namespace {

void wait(Why& why, std::uint32_t rank, const std::string& call, const std::string& what) {
  why.take(rank, "5.0 s without progress in " + call + " at main+0x12 (a.out)");
  if (!what.empty()) why.take(rank, what);
}

std::string receive(int from) {
  return "receive from rank " + std::to_string(from) + ", tag 7, on MPI_COMM_WORLD (context 2), room for 4 bytes";
}
std::string collective(int number, int peer) {
  return "collective " + std::to_string(number) + " on MPI_COMM_WORLD (context 2): waits for rank " +
         std::to_string(peer);
}

TEST(Why, ACircleIsNamed) {
  Why why;
  wait(why, 0, "MPI_Recv", receive(1));
  wait(why, 1, "MPI_Recv", receive(2));
  wait(why, 2, "MPI_Ssend", "send to rank 1, tag 7, on MPI_COMM_WORLD (context 2), 4 bytes");
  const auto said = why.conclude(3);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0],
            "a circle of ranks that wait for each other: rank 1 in MPI_Recv for rank 2, rank 2 in MPI_Ssend for "
            "rank 1");
}

TEST(Why, MismatchedCollectivesAreNamed) {
  Why why;
  for (std::uint32_t rank = 0; rank < 7; ++rank) wait(why, rank, "MPI_Allreduce", collective(17, 7));
  wait(why, 7, "MPI_Bcast", collective(17, 0));
  const auto said = why.conclude(8);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0],
            "collectives do not match on MPI_COMM_WORLD: ranks 0-6 are in MPI_Allreduce, rank 7 is in MPI_Bcast "
            "(number 17 on this communicator)");
}

TEST(Why, OtherRootsAndLengthsAreNamed) {
  Why why;
  for (std::uint32_t rank = 0; rank < 3; ++rank) wait(why, rank, "MPI_Bcast", collective(4, 3) + ", root 1, 8 bytes");
  wait(why, 3, "MPI_Bcast", collective(4, 0) + ", root 3, 8 bytes");
  EXPECT_EQ(why.conclude(4)[0],
            "collectives do not match on MPI_COMM_WORLD: ranks 0-2 are in MPI_Bcast (root 1, 8 bytes), "
            "rank 3 is in MPI_Bcast (root 3, 8 bytes) (number 4 on this communicator)");
}

TEST(Why, TheSlowRankIsNamed) {
  Why why;
  wait(why, 0, "MPI_Barrier", collective(3, 2));
  wait(why, 1, "MPI_Barrier", collective(3, 0));
  wait(why, 3, "MPI_Recv", receive(2));
  const auto said = why.conclude(4);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0],
            "rank 2 does not wait in MPI (it computes, is stopped, or waits elsewhere), and ranks 0 and 3 wait for "
            "it");
}

TEST(Why, WaitsForRequestsAreNoMismatch) {
  Why why;
  wait(why, 0, "MPI_Wait", collective(3, 1));
  wait(why, 1, "MPI_Barrier", collective(3, 0));
  EXPECT_EQ(why.conclude(2)[0].rfind("a circle", 0), 0u);
}

TEST(Why, NothingAndOtherLines) {
  Why why;
  why.take(0, "and 3 more");
  EXPECT_EQ(why.conclude(2)[0], "no rank waits in MPI: all compute, or wait elsewhere");
  wait(why, 0, "MPI_Recv", "receive from any rank, any tag, on MPI_COMM_WORLD (context 2), room for 4 bytes");
  wait(why, 1, "MPI_Probe", "");
  EXPECT_EQ(why.conclude(2)[0], "all ranks wait, for messages that nobody is about to send");
}

TEST(Why, NamesOfRanks) {
  EXPECT_EQ(name_ranks({4}), "rank 4");
  EXPECT_EQ(name_ranks({0, 1, 2, 3}), "ranks 0-3");
  EXPECT_EQ(name_ranks({0, 2, 5, 6, 7}), "ranks 0, 2 and 5-7");
}

}  // namespace
}  // namespace cow::launch
