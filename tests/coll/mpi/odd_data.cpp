// Elements without data, elements that follow each other downwards, and lengths that do not fit together.
#include <numeric>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

Ints all_ranks(int value) { return Ints(static_cast<std::size_t>(ranks::count()), value); }

class Empty : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Type_contiguous(0, MPI_INT, &type);
    MPI_Type_commit(&type);
  }
  void TearDown() override { MPI_Type_free(&type); }
  MPI_Datatype type = MPI_DATATYPE_NULL;
  int buffer[4] = {1, 2, 3, 4};
};

// Both sides speak of no data, one as three empty elements and the other as none: they must agree whether there is a message.
TEST_F(Empty, ElementsMatchNone) {
  const Ints none = all_ranks(0), three = all_ranks(3);
  int in[4] = {-1, -1, -1, -1};
  const std::vector<MPI_Datatype> ints(none.size(), MPI_INT), empty(none.size(), type);
  for (const bool receives : {false, true}) {
    const Ints &sent = receives ? none : three, &expected = receives ? three : none;
    const MPI_Datatype out = receives ? MPI_INT : type, back = receives ? type : MPI_INT;
    const std::vector<MPI_Datatype>&outs = receives ? ints : empty, &backs = receives ? empty : ints;
    const int root = ranks::count() - 1;
    EXPECT_MPI_OK(
        MPI_Alltoallv(buffer, sent.data(), none.data(), out, in, expected.data(), none.data(), back, MPI_COMM_WORLD));
    EXPECT_MPI_OK(MPI_Alltoallw(buffer, sent.data(), none.data(), outs.data(), in, expected.data(), none.data(),
                                backs.data(), MPI_COMM_WORLD));
    EXPECT_MPI_OK(MPI_Gatherv(buffer, sent[0], out, in, expected.data(), none.data(), back, root, MPI_COMM_WORLD));
    EXPECT_MPI_OK(MPI_Scatterv(buffer, sent.data(), none.data(), out, in, expected[0], back, root, MPI_COMM_WORLD));
    EXPECT_MPI_OK(MPI_Allgatherv(buffer, sent[0], out, in, expected.data(), none.data(), back, MPI_COMM_WORLD));
    EXPECT_MPI_OK(MPI_Allgather(buffer, sent[0], out, in, expected[0], back, MPI_COMM_WORLD));
  }
  for (const int i : in) EXPECT_EQ(i, -1);
}

// An int, and the next one two ints below it.
class Downwards : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Type_create_resized(MPI_INT, 0, -2 * static_cast<int>(sizeof(int)), &type);
    MPI_Type_commit(&type);
    MPI_Op_create(add, 1, &op);
  }
  void TearDown() override {
    MPI_Op_free(&op);
    MPI_Type_free(&type);
  }
  static void add(void* left, void* right, int* n, MPI_Datatype*) {
    for (int i = 0; i < *n; ++i) static_cast<int*>(right)[-2 * i] += static_cast<int*>(left)[-2 * i];
  }
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Op op = MPI_OP_NULL;
};

TEST_F(Downwards, ElementsAreReduced) {
  for (const int n : {1, 2, 9, 700}) {
    const auto top = static_cast<std::size_t>(2 * (n - 1));
    Ints mine(top + 1, -1), got(top + 1, -1), expected(top + 1, -1);
    for (int i = 0; i < n; ++i) {
      const auto at = top - 2 * static_cast<std::size_t>(i);
      mine[at] = ranks::rank() + i;
      expected[at] = ranks::count() * (ranks::count() - 1) / 2 + ranks::count() * i;
    }
    EXPECT_MPI_OK(MPI_Allreduce(&mine[top], &got[top], n, type, op, MPI_COMM_WORLD));
    EXPECT_EQ(got, expected) << n;
    std::fill(got.begin(), got.end(), -1);
    MPI_Request request;
    EXPECT_MPI_OK(MPI_Ireduce(&mine[top], &got[top], n, type, op, 0, MPI_COMM_WORLD, &request));
    EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    if (ranks::rank() == 0) {
      EXPECT_EQ(got, expected) << n;
    }
  }
}

// A rank's block for itself has two lengths: nothing is read or written behind its buffers.
TEST(OwnBlock, MustFit) {
  const ranks::ReturningComm comm(MPI_COMM_SELF);
  int two[2] = {1, 2}, one[1] = {-1};
  const int sent = 2, room = 1, zero = 0;
  const MPI_Datatype type = MPI_INT;
  EXPECT_MPI_ERROR(MPI_Gather(two, 2, MPI_INT, one, 1, MPI_INT, 0, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Gather(one, 1, MPI_INT, two, 2, MPI_INT, 0, comm), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPI_Scatter(two, 2, MPI_INT, one, 1, MPI_INT, 0, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Allgather(one, 1, MPI_INT, two, 2, MPI_INT, comm), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPI_Alltoall(two, 2, MPI_INT, one, 1, MPI_INT, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Gatherv(two, 2, MPI_INT, one, &room, &zero, MPI_INT, 0, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Scatterv(two, &sent, &zero, MPI_INT, one, 1, MPI_INT, 0, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Allgatherv(one, 1, MPI_INT, two, &sent, &zero, MPI_INT, comm), MPI_ERR_COUNT);
  EXPECT_MPI_ERROR(MPI_Alltoallv(two, &sent, &zero, MPI_INT, one, &room, &zero, MPI_INT, comm), MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(MPI_Alltoallw(two, &sent, &zero, &type, one, &room, &zero, &type, comm), MPI_ERR_TRUNCATE);
  EXPECT_EQ(one[0], -1);
  EXPECT_EQ(two[1], 2);
}

TEST(TooLong, IsAnErrorOfTheRequest) {
  NEED_RANKS(2);
  const ranks::ReturningComm comm;
  const bool receives = ranks::rank() == 0;
  int data[8] = {};
  Ints all(static_cast<std::size_t>(4 * ranks::count()));
  const Ints counts = all_ranks(2), places = all_ranks(0);
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Igatherv(receives ? MPI_IN_PLACE : data, 8, MPI_INT, all.data(), counts.data(), places.data(),
                             MPI_INT, 0, comm, &request));
  const int error = MPI_Wait(&request, MPI_STATUS_IGNORE);
  if (!receives) {
    EXPECT_MPI_OK(error);
    return;
  }
  EXPECT_EQ(ranks::error_class(error), MPI_ERR_TRUNCATE);
  EXPECT_NE(ranks::error_text(error).find("of a communicator without a name sent 32 bytes"), std::string::npos)
      << ranks::error_text(error);
}

// At rank 0 no exclusive sum arrives, and its receive buffer may be anything.
TEST(NothingBelow, NeedsNoBuffer) {
  const int own = ranks::rank() + 1, me = ranks::rank();
  int below = -1;
  int* const into = me == 0 ? nullptr : &below;
  MPI_Request request = MPI_REQUEST_NULL;
  const auto check = [&] { EXPECT_EQ(below, me == 0 ? -1 : me * (me + 1) / 2); };
  EXPECT_MPI_OK(MPI_Exscan(&own, into, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  check();
  EXPECT_MPI_OK(MPI_Iexscan(&own, into, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request));
  EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  check();
  EXPECT_MPI_OK(MPI_Exscan_init(&own, into, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &request));
  EXPECT_MPI_OK(MPI_Start(&request));
  EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_MPI_OK(MPI_Request_free(&request));
  check();
}

// A vector whose blocks follow each other downwards: what arrives stands in the other order.
TEST(NegativeStride, TurnsTheOrder) {
  MPI_Datatype small, large;
  ASSERT_MPI_OK(MPI_Type_vector(3, 2, -2, MPI_INT, &small));
  ASSERT_MPI_OK(MPI_Type_vector_c(3, 2, -2, MPI_INT, &large));
  for (MPI_Datatype* const type : {&small, &large}) {
    MPI_Aint lb = 0, extent = 0;
    EXPECT_MPI_OK(MPI_Type_get_extent(*type, &lb, &extent));
    EXPECT_EQ(lb, -16);
    EXPECT_EQ(extent, 24);
    EXPECT_MPI_OK(MPI_Type_commit(type));
    const Ints out{1, 2, 3, 4, 5, 6};
    Ints in(6, -1);
    EXPECT_MPI_OK(
        MPI_Sendrecv(out.data(), 6, MPI_INT, 0, 1, in.data() + 4, 1, *type, 0, 1, MPI_COMM_SELF, MPI_STATUS_IGNORE));
    EXPECT_EQ(in, (Ints{5, 6, 3, 4, 1, 2}));
    EXPECT_MPI_OK(MPI_Type_free(type));
  }
}

}  // namespace
