// The _c forms of the collectives, blocking, nonblocking and persistent: what they give is what the small form gives.
#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

// The arguments whose width differs, in either width.
template <class Count, class Displacement>
struct Arrays {
  std::vector<Count> counts, other_counts;
  std::vector<Displacement> places, other_places;  // in elements
  std::vector<Displacement> bytes, other_bytes;    // the same in bytes
};

struct LargeCounts : testing::Test {
  const int n = ranks::count(), me = ranks::rank();
  Arrays<int, int> small;
  Arrays<MPI_Count, MPI_Aint> large;
  std::vector<MPI_Datatype> types = std::vector<MPI_Datatype>(static_cast<std::size_t>(n), MPI_INT);
  Ints send, result;

  // Rank i sends i + j + 1 ints to rank j: rows and columns of the table are alike.
  template <class Arrays>
  void fill(Arrays& arrays) const {
    for (int i = 0; i < n; ++i) {
      const int gap = 3 * n;
      arrays.counts.push_back(i + 1);
      arrays.other_counts.push_back(me + i + 1);
      arrays.places.push_back(i * gap);
      arrays.other_places.push_back((n - 1 - i) * gap);
      arrays.bytes.push_back(i * gap * 4);
      arrays.other_bytes.push_back((n - 1 - i) * gap * 4);
    }
  }

  void SetUp() override {
    fill(small);
    fill(large);
    for (int i = 0; i < 3 * n * n + 3 * n; ++i) send.push_back(me * 1000 + i);
  }

  // The memory stays where it is: persistent requests know its address.
  void blank_again() { result.assign(send.size(), -1); }

  // `call(function, arrays, tail...)` makes the call into `result`.
  template <class Call, class Small, class Large, class Nonblocking, class Persistent>
  void same(const char* name, Call call, Small small_form, Large large_form, Nonblocking nonblocking,
            Persistent persistent) {
    SCOPED_TRACE(name);
    blank_again();
    ASSERT_MPI_OK(call(small_form, small));
    const Ints expected = result;
    blank_again();
    ASSERT_MPI_OK(call(large_form, large));
    EXPECT_EQ(result, expected) << "blocking";
    MPI_Request request = MPI_REQUEST_NULL;
    blank_again();
    ASSERT_MPI_OK(call(nonblocking, large, &request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(result, expected) << "nonblocking";
    ASSERT_MPI_OK(call(persistent, large, MPI_INFO_NULL, &request));
    for (int round = 0; round < 2; ++round) {
      blank_again();
      ASSERT_MPI_OK(MPI_Start(&request));
      ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
      EXPECT_EQ(result, expected) << "persistent";
    }
    ASSERT_MPI_OK(MPI_Request_free(&request));
  }
};

MPI_Comm world() { return MPI_COMM_WORLD; }

TEST_F(LargeCounts, OfBroadcasts) {
  const int root = n - 1;
  const Ints sent = {root, 2, 3};
  const auto fill = [&] { result = me == root ? sent : Ints(3, -1); };
  fill();
  ASSERT_MPI_OK(MPI_Bcast_c(result.data(), 3, MPI_INT, root, MPI_COMM_WORLD));
  EXPECT_EQ(result, sent);
  MPI_Request request;
  fill();
  ASSERT_MPI_OK(MPI_Ibcast_c(result.data(), 3, MPI_INT, root, MPI_COMM_WORLD, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(result, sent);
  ASSERT_MPI_OK(MPI_Bcast_init_c(result.data(), 3, MPI_INT, root, MPI_COMM_WORLD, MPI_INFO_NULL, &request));
  for (int round = 0; round < 2; ++round) {
    if (me != root) std::fill(result.begin(), result.end(), -1);
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(result, sent);
  }
  ASSERT_MPI_OK(MPI_Request_free(&request));
}

TEST_F(LargeCounts, OfBlocksToAll) {
  same(
      "allgather",
      [&](auto f, auto&, auto... tail) {
        return f(send.data(), 3, MPI_INT, result.data(), 3, MPI_INT, world(), tail...);
      },
      MPI_Allgather, MPI_Allgather_c, MPI_Iallgather_c, MPI_Allgather_init_c);
  same(
      "alltoall",
      [&](auto f, auto&, auto... tail) {
        return f(send.data(), 2, MPI_INT, result.data(), 2, MPI_INT, world(), tail...);
      },
      MPI_Alltoall, MPI_Alltoall_c, MPI_Ialltoall_c, MPI_Alltoall_init_c);
  same(
      "gather",
      [&](auto f, auto&, auto... tail) {
        return f(send.data(), 2, MPI_INT, result.data(), 2, MPI_INT, 0, world(), tail...);
      },
      MPI_Gather, MPI_Gather_c, MPI_Igather_c, MPI_Gather_init_c);
  same(
      "scatter",
      [&](auto f, auto&, auto... tail) {
        return f(send.data(), 2, MPI_INT, result.data(), 2, MPI_INT, n - 1, world(), tail...);
      },
      MPI_Scatter, MPI_Scatter_c, MPI_Iscatter_c, MPI_Scatter_init_c);
}

TEST_F(LargeCounts, OfBlocksOfEachLength) {
  same(
      "allgatherv",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), me + 1, MPI_INT, result.data(), a.counts.data(), a.places.data(), MPI_INT, world(),
                 tail...);
      },
      MPI_Allgatherv, MPI_Allgatherv_c, MPI_Iallgatherv_c, MPI_Allgatherv_init_c);
  same(
      "gatherv",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), me + 1, MPI_INT, result.data(), a.counts.data(), a.places.data(), MPI_INT, 0, world(),
                 tail...);
      },
      MPI_Gatherv, MPI_Gatherv_c, MPI_Igatherv_c, MPI_Gatherv_init_c);
  same(
      "scatterv",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), a.counts.data(), a.places.data(), MPI_INT, result.data(), me + 1, MPI_INT, 0, world(),
                 tail...);
      },
      MPI_Scatterv, MPI_Scatterv_c, MPI_Iscatterv_c, MPI_Scatterv_init_c);
  same(
      "alltoallv",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), a.other_counts.data(), a.places.data(), MPI_INT, result.data(), a.other_counts.data(),
                 a.other_places.data(), MPI_INT, world(), tail...);
      },
      MPI_Alltoallv, MPI_Alltoallv_c, MPI_Ialltoallv_c, MPI_Alltoallv_init_c);
  same(
      "alltoallw",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), a.other_counts.data(), a.bytes.data(), types.data(), result.data(), a.other_counts.data(),
                 a.other_bytes.data(), types.data(), world(), tail...);
      },
      MPI_Alltoallw, MPI_Alltoallw_c, MPI_Ialltoallw_c, MPI_Alltoallw_init_c);
}

TEST_F(LargeCounts, OfReductions) {
  same(
      "allreduce",
      [&](auto f, auto&, auto... tail) { return f(send.data(), result.data(), 4, MPI_INT, MPI_SUM, world(), tail...); },
      MPI_Allreduce, MPI_Allreduce_c, MPI_Iallreduce_c, MPI_Allreduce_init_c);
  same(
      "reduce",
      [&](auto f, auto&, auto... tail) {
        return f(send.data(), result.data(), 4, MPI_INT, MPI_MAX, 0, world(), tail...);
      },
      MPI_Reduce, MPI_Reduce_c, MPI_Ireduce_c, MPI_Reduce_init_c);
  same(
      "reduce_scatter",
      [&](auto f, auto& a, auto... tail) {
        return f(send.data(), result.data(), a.counts.data(), MPI_INT, MPI_SUM, world(), tail...);
      },
      MPI_Reduce_scatter, MPI_Reduce_scatter_c, MPI_Ireduce_scatter_c, MPI_Reduce_scatter_init_c);
  same(
      "reduce_scatter_block",
      [&](auto f, auto&, auto... tail) { return f(send.data(), result.data(), 2, MPI_INT, MPI_SUM, world(), tail...); },
      MPI_Reduce_scatter_block, MPI_Reduce_scatter_block_c, MPI_Ireduce_scatter_block_c,
      MPI_Reduce_scatter_block_init_c);
  same(
      "scan",
      [&](auto f, auto&, auto... tail) { return f(send.data(), result.data(), 3, MPI_INT, MPI_SUM, world(), tail...); },
      MPI_Scan, MPI_Scan_c, MPI_Iscan_c, MPI_Scan_init_c);
  same(
      "exscan",
      [&](auto f, auto&, auto... tail) { return f(send.data(), result.data(), 3, MPI_INT, MPI_SUM, world(), tail...); },
      MPI_Exscan, MPI_Exscan_c, MPI_Iexscan_c, MPI_Exscan_init_c);
}

}  // namespace
