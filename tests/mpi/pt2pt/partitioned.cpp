// Partitioned communication: other counts at both sides, several rounds, parts that arrive early, threads that mark parts
// ready, and what is refused.
#include <thread>

#include "support/ranks.hpp"

namespace {

class Partitioned : public testing::Test {
 protected:
  const int me = ranks::rank(), n = ranks::count();
  const int next = (me + 1) % n, previous = (me + n - 1) % n;
  ranks::ReturningComm comm;
  MPI_Request send = MPI_REQUEST_NULL, receive = MPI_REQUEST_NULL;

  void SetUp() override { MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN); }
  void TearDown() override {
    for (MPI_Request* request : {&send, &receive})
      if (*request != MPI_REQUEST_NULL) MPI_Request_free(request);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
  }
};

// `all` elements, cut into other numbers of parts at both ends, for several rounds.
TEST_F(Partitioned, OtherCountsAtBothSides) {
  constexpr int all = 5040;
  const int pairs[][2] = {{1, 1}, {8, 1}, {1, 8}, {6, 4}, {4, 6}, {7, 10}, {all, 3}};
  for (const auto& [out_parts, in_parts] : pairs) {
    SCOPED_TRACE(std::to_string(out_parts) + " parts to " + std::to_string(in_parts));
    std::vector<int> out(all), in(all);
    ASSERT_MPI_OK(MPI_Psend_init(out.data(), out_parts, all / out_parts, MPI_INT, next, 3, comm, MPI_INFO_NULL, &send));
    ASSERT_MPI_OK(
        MPI_Precv_init(in.data(), in_parts, all / in_parts, MPI_INT, previous, 3, comm, MPI_INFO_NULL, &receive));
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < all; ++i) out[i] = me * 100'000 + round * 10'000 + i, in[i] = -1;
      ASSERT_MPI_OK(MPI_Start(&receive));
      ASSERT_MPI_OK(MPI_Start(&send));
      for (int part = out_parts - 1; part >= 0; --part) ASSERT_MPI_OK(MPI_Pready(part, send));
      MPI_Status status;
      ASSERT_MPI_OK(MPI_Wait(&receive, &status));
      EXPECT_EQ(status.MPI_SOURCE, previous);
      EXPECT_EQ(status.MPI_TAG, 3);
      int count = -1;
      ASSERT_MPI_OK(MPI_Get_count(&status, MPI_INT, &count));
      EXPECT_EQ(count, all);
      for (int i = 0; i < all; ++i) ASSERT_EQ(in[i], previous * 100'000 + round * 10'000 + i) << i;
      ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    }
    ASSERT_MPI_OK(MPI_Request_free(&send));
    ASSERT_MPI_OK(MPI_Request_free(&receive));
  }
}

// Part 0 is there while the others are not even ready.
TEST_F(Partitioned, PartsArriveEarly) {
  int out[4] = {10, 11, 12, 13}, in[4] = {-1, -1, -1, -1}, flag = -1;
  ASSERT_MPI_OK(MPI_Psend_init(out, 4, 1, MPI_INT, next, 1, comm, MPI_INFO_NULL, &send));
  ASSERT_MPI_OK(MPI_Precv_init(in, 2, 2, MPI_INT, previous, 1, comm, MPI_INFO_NULL, &receive));
  ASSERT_MPI_OK(MPI_Parrived(receive, 0, &flag));
  EXPECT_EQ(flag, 1) << "nothing is under way";
  ASSERT_MPI_OK(MPI_Start(&send));
  ASSERT_MPI_OK(MPI_Start(&receive));
  ASSERT_MPI_OK(MPI_Pready_range(0, 1, send));
  do {
    ASSERT_MPI_OK(MPI_Parrived(receive, 0, &flag));
  } while (!flag);
  EXPECT_EQ(in[0], 10);
  EXPECT_EQ(in[1], 11);
  ASSERT_MPI_OK(MPI_Parrived(receive, 1, &flag));
  EXPECT_EQ(flag, 0);
  ASSERT_MPI_OK(MPI_Test(&receive, &flag, MPI_STATUS_IGNORE));
  EXPECT_EQ(flag, 0);
  ASSERT_MPI_OK(MPI_Barrier(comm));  // all have seen that nothing else was there
  const int rest[2] = {3, 2};
  ASSERT_MPI_OK(MPI_Pready_list(2, rest, send));
  MPI_Request both[2] = {send, receive};
  ASSERT_MPI_OK(MPI_Waitall(2, both, MPI_STATUSES_IGNORE));
  EXPECT_EQ(in[3], 13);
  ASSERT_MPI_OK(MPI_Parrived(receive, 1, &flag));
  EXPECT_EQ(flag, 1);
  ASSERT_MPI_OK(MPI_Parrived(MPI_REQUEST_NULL, 0, &flag));
  EXPECT_EQ(flag, 1);
}

// Requests of the same ranks and tag meet in the order in which they were made.
TEST_F(Partitioned, SeveralMeetInOrder) {
  constexpr int many = 5;
  MPI_Request sends[many], receives[many];
  int out[many], in[many];
  for (int i = 0; i < many; ++i) {
    out[i] = me * 10 + i;
    ASSERT_MPI_OK(MPI_Psend_init(&out[i], 1, 1, MPI_INT, next, 9, comm, MPI_INFO_NULL, &sends[i]));
  }
  for (int i = 0; i < many; ++i)
    ASSERT_MPI_OK(MPI_Precv_init(&in[i], 1, 1, MPI_INT, previous, 9, comm, MPI_INFO_NULL, &receives[i]));
  ASSERT_MPI_OK(MPI_Startall(many, receives));
  ASSERT_MPI_OK(MPI_Startall(many, sends));
  for (int i = many - 1; i >= 0; --i) ASSERT_MPI_OK(MPI_Pready(0, sends[i]));
  ASSERT_MPI_OK(MPI_Waitall(many, receives, MPI_STATUSES_IGNORE));
  ASSERT_MPI_OK(MPI_Waitall(many, sends, MPI_STATUSES_IGNORE));
  for (int i = 0; i < many; ++i) {
    EXPECT_EQ(in[i], previous * 10 + i);
    ASSERT_MPI_OK(MPI_Request_free(&sends[i]));
    ASSERT_MPI_OK(MPI_Request_free(&receives[i]));
  }
}

// A receiver whose elements have gaps, and parts that end inside an element.
TEST_F(Partitioned, TypesWithGaps) {
  MPI_Datatype triple;
  ASSERT_MPI_OK(MPI_Type_vector(3, 1, 2, MPI_INT, &triple));
  ASSERT_MPI_OK(MPI_Type_commit(&triple));
  for (const int out_parts : {4, 6, 12}) {
    SCOPED_TRACE(out_parts);
    std::vector<int> out(12), in(4 * 5, -1);
    for (int i = 0; i < 12; ++i) out[static_cast<std::size_t>(i)] = i;
    ASSERT_MPI_OK(MPI_Psend_init(out.data(), out_parts, 12 / out_parts, MPI_INT, next, 2, comm, MPI_INFO_NULL, &send));
    ASSERT_MPI_OK(MPI_Precv_init(in.data(), 2, 2, triple, previous, 2, comm, MPI_INFO_NULL, &receive));
    ASSERT_MPI_OK(MPI_Start(&receive));
    ASSERT_MPI_OK(MPI_Start(&send));
    ASSERT_MPI_OK(MPI_Pready_range(0, out_parts - 1, send));
    ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    for (int i = 0; i < 12; ++i) EXPECT_EQ(in[static_cast<std::size_t>(i / 3 * 5 + i % 3 * 2)], i);
    EXPECT_EQ(in[1], -1);
    ASSERT_MPI_OK(MPI_Request_free(&send));
    ASSERT_MPI_OK(MPI_Request_free(&receive));
  }
  ASSERT_MPI_OK(MPI_Type_free(&triple));
}

TEST_F(Partitioned, ThreadsMarkPartsReady) {
  constexpr int threads = 4, each = 8, size = 1000;
  std::vector<int> out(threads * each * size), in(out.size());
  ASSERT_MPI_OK(MPI_Psend_init(out.data(), threads * each, size, MPI_INT, next, 1, comm, MPI_INFO_NULL, &send));
  ASSERT_MPI_OK(MPI_Precv_init(in.data(), threads, each * size, MPI_INT, previous, 1, comm, MPI_INFO_NULL, &receive));
  for (int round = 0; round < 3; ++round) {
    ASSERT_MPI_OK(MPI_Start(&receive));
    ASSERT_MPI_OK(MPI_Start(&send));
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        for (int part = t * each; part < (t + 1) * each; ++part) {
          for (int i = 0; i < size; ++i) out[static_cast<std::size_t>(part * size + i)] = round + part * size + i;
          EXPECT_MPI_OK(MPI_Pready(part, send));
        }
      });
    for (std::thread& worker : workers) worker.join();
    ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    for (std::size_t i = 0; i < in.size(); ++i) ASSERT_EQ(in[i], round + static_cast<int>(i));
  }
}

TEST_F(Partitioned, LargeCounts) {
  int out[4] = {1, 2, 3, 4}, in[4] = {};
  MPI_Request pair[2];
  const int me = ranks::rank();
  ASSERT_MPI_OK(MPI_Psend_init_c(out, 2, 2, MPI_INT, me, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &pair[0]));
  ASSERT_MPI_OK(MPI_Precv_init_c(in, 4, 1, MPI_INT, me, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &pair[1]));
  ASSERT_MPI_OK(MPI_Startall(2, pair));
  ASSERT_MPI_OK(MPI_Pready_range(0, 1, pair[0]));
  ASSERT_MPI_OK(MPI_Waitall(2, pair, MPI_STATUSES_IGNORE));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(in[i], out[i]);
  for (MPI_Request& one : pair) ASSERT_MPI_OK(MPI_Request_free(&one));
}

// A partition of no bytes arrives when its sender says so, as any other; and a send without partitions at its start.
TEST_F(Partitioned, NothingArrivesWhenItIsReady) {
  MPI_Datatype nothing;
  ASSERT_MPI_OK(MPI_Type_contiguous(0, MPI_INT, &nothing));
  ASSERT_MPI_OK(MPI_Type_commit(&nothing));
  char out[8] = {}, in[8];
  struct Case {
    int out_parts, in_parts, count;
    MPI_Datatype type;
  };
  for (const Case& each : {Case{1, 1, 0, MPI_CHAR}, Case{4, 4, 0, MPI_CHAR}, Case{4, 2, 0, MPI_CHAR},
                           Case{2, 4, 0, MPI_CHAR}, Case{3, 2, 1, nothing}, Case{3, 3, 1, MPI_CHAR},
                           Case{0, 2, 0, MPI_CHAR}, Case{2, 0, 0, MPI_CHAR}, Case{0, 0, 1, MPI_CHAR}}) {
    SCOPED_TRACE(std::to_string(each.out_parts) + " parts to " + std::to_string(each.in_parts));
    ASSERT_MPI_OK(MPI_Psend_init(out, each.out_parts, each.count, each.type, next, 3, comm, MPI_INFO_NULL, &send));
    ASSERT_MPI_OK(MPI_Precv_init(in, each.in_parts, each.count, each.type, previous, 3, comm, MPI_INFO_NULL, &receive));
    for (int round = 0; round < 2; ++round) {
      const auto arrived = [&](int part) {
        int flag = -1;
        EXPECT_MPI_OK(MPI_Parrived(receive, part, &flag));
        return flag;
      };
      ASSERT_MPI_OK(MPI_Start(&receive));
      MPI_Barrier(comm);
      for (int i = 0; i < each.in_parts; ++i) EXPECT_EQ(arrived(i), 0) << i << ": the sender has not started";
      int flag = -1;
      ASSERT_MPI_OK(MPI_Test(&receive, &flag, MPI_STATUS_IGNORE));
      ASSERT_EQ(flag, 0);
      MPI_Barrier(comm);
      ASSERT_MPI_OK(MPI_Start(&send));
      // The parts of the sender from the last to the first: the receiver's first needs the sender's first.
      for (int i = each.out_parts - 1; i >= 0; --i) {
        if (each.in_parts > 0) {
          EXPECT_EQ(arrived(0), 0) << i;
        }
        MPI_Barrier(comm);
        ASSERT_MPI_OK(MPI_Pready(i, send));
        if (each.in_parts == each.out_parts)
          while (!arrived(i)) continue;
        MPI_Barrier(comm);
      }
      for (int i = 0; i < each.in_parts; ++i)
        while (!arrived(i)) continue;
      ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
      ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    }
    ASSERT_MPI_OK(MPI_Request_free(&send));
    ASSERT_MPI_OK(MPI_Request_free(&receive));
  }
  MPI_Type_free(&nothing);
}

TEST_F(Partitioned, Nobody) {
  int data = 0, flag;
  ASSERT_MPI_OK(MPI_Psend_init(&data, 1, 1, MPI_INT, MPI_PROC_NULL, 1, comm, MPI_INFO_NULL, &send));
  ASSERT_MPI_OK(MPI_Precv_init(&data, 1, 1, MPI_INT, MPI_PROC_NULL, 1, comm, MPI_INFO_NULL, &receive));
  ASSERT_MPI_OK(MPI_Start(&send));
  ASSERT_MPI_OK(MPI_Start(&receive));
  ASSERT_MPI_OK(MPI_Pready(0, send));
  ASSERT_MPI_OK(MPI_Parrived(receive, 0, &flag));
  EXPECT_EQ(flag, 1);
  MPI_Status status;
  ASSERT_MPI_OK(MPI_Wait(&receive, &status));
  EXPECT_EQ(status.MPI_SOURCE, MPI_PROC_NULL);
  ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
}

TEST_F(Partitioned, TooMuchIsAnError) {
  int out[4] = {1, 2, 3, 4}, in[3] = {-1, -1, -1};
  ASSERT_MPI_OK(MPI_Psend_init(out, 4, 1, MPI_INT, next, 1, comm, MPI_INFO_NULL, &send));
  ASSERT_MPI_OK(MPI_Precv_init(in, 1, 2, MPI_INT, previous, 1, comm, MPI_INFO_NULL, &receive));
  ASSERT_MPI_OK(MPI_Start(&receive));
  ASSERT_MPI_OK(MPI_Start(&send));
  ASSERT_MPI_OK(MPI_Pready_range(0, 3, send));
  const int code = MPI_Wait(&receive, MPI_STATUS_IGNORE);
  EXPECT_EQ(ranks::error_class(code), MPI_ERR_TRUNCATE);
  EXPECT_NE(ranks::error_text(code).find("4 partitions of 4 bytes"), std::string::npos) << ranks::error_text(code);
  EXPECT_EQ(in[2], -1);
  ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
}

TEST_F(Partitioned, Refusals) {
  int data[2] = {};
  MPI_Request none;
  EXPECT_MPI_ERROR(MPI_Precv_init(data, 1, 1, MPI_INT, MPI_ANY_SOURCE, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPI_Precv_init(data, 1, 1, MPI_INT, n, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPI_Precv_init(data, 1, 1, MPI_INT, 0, MPI_ANY_TAG, comm, MPI_INFO_NULL, &none), MPI_ERR_TAG);
  EXPECT_MPI_ERROR(MPI_Precv_init(data, -1, 1, MPI_INT, 0, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Precv_init(data, 1, -1, MPI_INT, 0, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPI_Precv_init(data, 1, 1, MPI_DATATYPE_NULL, 0, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_TYPE);
  EXPECT_MPI_ERROR(MPI_Psend_init(data, 1, 1, MPI_INT, MPI_ANY_SOURCE, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPI_Psend_init(data, 1, 1, MPI_INT, n, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPI_Psend_init(data, -2, 1, MPI_INT, 0, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Psend_init(data, 1, 1, MPI_INT, 0, 1, MPI_COMM_NULL, MPI_INFO_NULL, &none), MPI_ERR_COMM);
  EXPECT_MPI_ERROR(MPI_Psend_init_c(data, 1, -5, MPI_INT, 0, 1, comm, MPI_INFO_NULL, &none), MPI_ERR_COUNT);
  ASSERT_MPI_OK(MPI_Psend_init(data, 2, 1, MPI_INT, next, 1, comm, MPI_INFO_NULL, &send));
  ASSERT_MPI_OK(MPI_Precv_init(data, 2, 1, MPI_INT, previous, 1, comm, MPI_INFO_NULL, &receive));
  int flag;
  EXPECT_MPI_ERROR(MPI_Pready(0, send), MPI_ERR_REQUEST) << "not started";
  EXPECT_MPI_ERROR(MPI_Pready(0, receive), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Pready(0, MPI_REQUEST_NULL), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Parrived(send, 0, &flag), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Parrived(receive, 2, &flag), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Parrived(receive, 0, nullptr), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Start(&send));
  ASSERT_MPI_OK(MPI_Start(&receive));
  EXPECT_MPI_ERROR(MPI_Start(&send), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Pready(2, send), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Pready(-1, send), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Pready_range(1, 0, send), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Pready_list(-1, nullptr, send), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Pready_list(1, nullptr, send), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Pready(1, send));
  EXPECT_MPI_ERROR(MPI_Pready(1, send), MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Pready(0, send));
  ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
  // One that never meets a sender can be given up.
  ASSERT_MPI_OK(MPI_Precv_init(data, 1, 1, MPI_INT, previous, 77, comm, MPI_INFO_NULL, &none));
  ASSERT_MPI_OK(MPI_Request_free(&none));
}

}  // namespace
