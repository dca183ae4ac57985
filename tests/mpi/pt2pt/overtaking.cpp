// Two matching calls complete whatever else has been sent before them: a pile of messages that nobody has received yet,
// far beyond what the library lets one sender pile up, is in the way of nothing.
#include <gtest/gtest.h>
#include <mpi.h>

#include <vector>

#include "support/ranks.hpp"

namespace {

constexpr int pile = 600;     // messages
constexpr int size = 15'000;  // bytes of each: eager, nine megabytes in all
constexpr int pile_tag = 1, late_tag = 2;

class Overtaking : public testing::Test {
 protected:
  // Every rank sends a pile to its right neighbour and does not wait for it.
  void begin_pile() {
    for (int i = 0; i < pile; ++i) {
      out_.emplace_back(size, static_cast<unsigned char>(i + ranks::rank()));
      MPI_Isend(out_.back().data(), size, MPI_BYTE, right_, pile_tag, MPI_COMM_WORLD, &requests_.emplace_back());
    }
  }

  void receive_pile() {
    std::vector<unsigned char> in(size);
    for (int i = 0; i < pile; ++i) {
      MPI_Recv(in.data(), size, MPI_BYTE, left_, pile_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      ASSERT_EQ(in, std::vector<unsigned char>(size, static_cast<unsigned char>(i + left_))) << "message " << i;
    }
    MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  }

  int left_ = (ranks::rank() + ranks::count() - 1) % ranks::count();
  int right_ = (ranks::rank() + 1) % ranks::count();
  std::vector<std::vector<unsigned char>> out_;
  std::vector<MPI_Request> requests_;
};

TEST_F(Overtaking, AMessageWithAnotherTag) {
  begin_pile();
  int value = ranks::rank(), got = -1;
  MPI_Request late;
  MPI_Isend(&value, 1, MPI_INT, right_, late_tag, MPI_COMM_WORLD, &late);
  MPI_Recv(&got, 1, MPI_INT, left_, late_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  EXPECT_EQ(got, left_);
  receive_pile();
  MPI_Wait(&late, MPI_STATUS_IGNORE);
}

TEST_F(Overtaking, AMessageThatIsOnlyTestedFor) {
  begin_pile();
  int value = ranks::rank(), got = -1, flag = 0;
  MPI_Request late[2];
  MPI_Isend(&value, 1, MPI_INT, right_, late_tag, MPI_COMM_WORLD, &late[0]);
  MPI_Irecv(&got, 1, MPI_INT, left_, late_tag, MPI_COMM_WORLD, &late[1]);
  while (!flag) MPI_Test(&late[1], &flag, MPI_STATUS_IGNORE);
  EXPECT_EQ(got, left_);
  receive_pile();
  MPI_Wait(&late[0], MPI_STATUS_IGNORE);
}

TEST_F(Overtaking, ACollective) {
  begin_pile();
  MPI_Barrier(MPI_COMM_WORLD);
  int sum = 0, one = 1;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  EXPECT_EQ(sum, ranks::count());
  receive_pile();
}

TEST_F(Overtaking, ALargeMessage) {
  begin_pile();
  std::vector<unsigned char> large(1 << 20, 7), got(large.size());
  MPI_Request late;
  MPI_Isend(large.data(), static_cast<int>(large.size()), MPI_BYTE, right_, late_tag, MPI_COMM_WORLD, &late);
  MPI_Recv(got.data(), static_cast<int>(got.size()), MPI_BYTE, left_, late_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  EXPECT_EQ(got, large);
  receive_pile();
  MPI_Wait(&late, MPI_STATUS_IGNORE);
}

}  // namespace
