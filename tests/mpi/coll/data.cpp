// The collectives that move data, with random counts, roots and gaps, against what each rank must end with.
#include "coll/reference.hpp"

namespace {

using reference::Blocks;
using reference::contribution;
using Ints = std::vector<int>;
constexpr int unused = -77;  // what stands in places that no call may write to

class Data : public testing::Test {
 protected:
  int me = ranks::rank(), n = ranks::count();
  std::size_t at(int i) const { return static_cast<std::size_t>(i); }

  // Every block in its place, and nothing written between them.
  void expect_blocks(const Ints& got, const Blocks& blocks, std::uint64_t key) {
    Ints expected(got.size(), unused);
    for (int rank = 0; rank < n; ++rank) {
      const Ints block = contribution<int>(key, rank, blocks.count(rank));
      std::copy(block.begin(), block.end(), expected.begin() + blocks.place(rank));
    }
    ASSERT_EQ(got, expected);
  }

  Ints joined(std::uint64_t key, int count) {
    Ints all;
    for (int rank = 0; rank < n; ++rank) {
      const Ints block = contribution<int>(key, rank, count);
      all.insert(all.end(), block.begin(), block.end());
    }
    return all;
  }
};

constexpr int rounds = 15;

TEST_F(Data, BarrierHoldsEverybody) {
  // Each round another rank tells all others that it has come; nobody may leave before.
  for (int late = 0; late < n; ++late) {
    std::vector<MPI_Request> sends(at(n), MPI_REQUEST_NULL);
    const int token = late;
    if (me == late)
      for (int peer = 0; peer < n; ++peer)
        if (peer != me) {
          ASSERT_MPI_OK(MPI_Isend(&token, 1, MPI_INT, peer, 40, MPI_COMM_WORLD, &sends[at(peer)]));
        }
    ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
    if (me != late) {
      int got = -1;
      ASSERT_MPI_OK(MPI_Recv(&got, 1, MPI_INT, late, 40, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
      EXPECT_EQ(got, late);
    }
    ASSERT_MPI_OK(MPI_Waitall(n, sends.data(), MPI_STATUSES_IGNORE));
  }
  for (int i = 0; i < 200; ++i) ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD));
}

TEST_F(Data, Bcast) {
  auto random = ranks::shared_random(101);
  for (int round = 0; round < rounds; ++round) {
    const int root = ranks::pick(random, 0, n - 1), count = reference::pick_count(random, 60'000);
    Ints data = me == root ? contribution<int>(round, root, count) : Ints(at(count), unused);
    data.push_back(unused);
    ASSERT_MPI_OK(MPI_Bcast(data.data(), count, MPI_INT, root, MPI_COMM_WORLD));
    Ints expected = contribution<int>(round, root, count);
    expected.push_back(unused);
    ASSERT_EQ(data, expected) << "root " << root << ", count " << count;
  }
}

TEST_F(Data, Gather) {
  auto random = ranks::shared_random(102);
  for (int round = 0; round < rounds; ++round) {
    const int root = ranks::pick(random, 0, n - 1), count = reference::pick_count(random, 20'000);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const Ints out = contribution<int>(round, me, count);
    Ints in(me == root ? at(count * n) : 0, unused);
    if (me == root && in_place) std::copy(out.begin(), out.end(), in.begin() + me * count);
    ASSERT_MPI_OK(MPI_Gather(me == root && in_place ? MPI_IN_PLACE : out.data(), count, MPI_INT, in.data(), count,
                             MPI_INT, root, MPI_COMM_WORLD));
    if (me == root) {
      ASSERT_EQ(in, joined(round, count)) << "count " << count << ", in place " << in_place;
    }
  }
}

TEST_F(Data, Scatter) {
  auto random = ranks::shared_random(103);
  for (int round = 0; round < rounds; ++round) {
    const int root = ranks::pick(random, 0, n - 1), count = reference::pick_count(random, 20'000);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const Ints out = me == root ? joined(round, count) : Ints();
    Ints in(at(count), unused);
    ASSERT_MPI_OK(MPI_Scatter(out.data(), count, MPI_INT, me == root && in_place ? MPI_IN_PLACE : in.data(), count,
                              MPI_INT, root, MPI_COMM_WORLD));
    const bool untouched = me == root && in_place;
    ASSERT_EQ(in, untouched ? Ints(at(count), unused) : contribution<int>(round, me, count));
  }
}

TEST_F(Data, Gatherv) {
  auto random = ranks::shared_random(104);
  for (int round = 0; round < rounds; ++round) {
    const int root = ranks::pick(random, 0, n - 1);
    const Blocks blocks(random, n, reference::pick_count(random, 5'000) + 1);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const Ints out = contribution<int>(round, me, blocks.count(me));
    Ints in(me == root ? at(blocks.room) : 0, unused);
    if (me == root && in_place) std::copy(out.begin(), out.end(), in.begin() + blocks.place(me));
    ASSERT_MPI_OK(MPI_Gatherv(me == root && in_place ? MPI_IN_PLACE : out.data(), blocks.count(me), MPI_INT, in.data(),
                              blocks.counts.data(), blocks.places.data(), MPI_INT, root, MPI_COMM_WORLD));
    if (me == root) expect_blocks(in, blocks, round);
  }
}

TEST_F(Data, Scatterv) {
  auto random = ranks::shared_random(105);
  for (int round = 0; round < rounds; ++round) {
    const int root = ranks::pick(random, 0, n - 1);
    const Blocks blocks(random, n, reference::pick_count(random, 5'000) + 1);
    Ints out(me == root ? at(blocks.room) : 0, unused);
    if (me == root)
      for (int rank = 0; rank < n; ++rank) {
        const Ints block = contribution<int>(round, rank, blocks.count(rank));
        std::copy(block.begin(), block.end(), out.begin() + blocks.place(rank));
      }
    Ints in(at(blocks.count(me)), unused);
    ASSERT_MPI_OK(MPI_Scatterv(out.data(), blocks.counts.data(), blocks.places.data(), MPI_INT, in.data(),
                               blocks.count(me), MPI_INT, root, MPI_COMM_WORLD));
    ASSERT_EQ(in, contribution<int>(round, me, blocks.count(me)));
  }
}

TEST_F(Data, Allgather) {
  auto random = ranks::shared_random(106);
  for (int round = 0; round < rounds; ++round) {
    const int count = reference::pick_count(random, 20'000);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const Ints out = contribution<int>(round, me, count);
    Ints in(at(count * n), unused);
    if (in_place) std::copy(out.begin(), out.end(), in.begin() + me * count);
    ASSERT_MPI_OK(
        MPI_Allgather(in_place ? MPI_IN_PLACE : out.data(), count, MPI_INT, in.data(), count, MPI_INT, MPI_COMM_WORLD));
    ASSERT_EQ(in, joined(round, count)) << "count " << count << ", in place " << in_place;
  }
}

TEST_F(Data, Allgatherv) {
  if (ranks::foreign() && n == 1) GTEST_SKIP() << "MPICH 4.0 ignores the displacement of a single rank";
  auto random = ranks::shared_random(107);
  for (int round = 0; round < rounds; ++round) {
    const Blocks blocks(random, n, reference::pick_count(random, 5'000) + 1);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const Ints out = contribution<int>(round, me, blocks.count(me));
    Ints in(at(blocks.room), unused);
    if (in_place) std::copy(out.begin(), out.end(), in.begin() + blocks.place(me));
    ASSERT_MPI_OK(MPI_Allgatherv(in_place ? MPI_IN_PLACE : out.data(), blocks.count(me), MPI_INT, in.data(),
                                 blocks.counts.data(), blocks.places.data(), MPI_INT, MPI_COMM_WORLD));
    expect_blocks(in, blocks, round);
  }
}

// What rank `from` has for rank `to`.
int pair_key(int round, int to) { return round * 64 + to; }

TEST_F(Data, Alltoall) {
  auto random = ranks::shared_random(108);
  for (int round = 0; round < rounds; ++round) {
    const int count = reference::pick_count(random, 5'000);
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    Ints out, expected;
    for (int peer = 0; peer < n; ++peer) {
      const Ints give = contribution<int>(pair_key(round, peer), me, count),
                 get = contribution<int>(pair_key(round, me), peer, count);
      out.insert(out.end(), give.begin(), give.end());
      expected.insert(expected.end(), get.begin(), get.end());
    }
    Ints in = in_place ? out : Ints(out.size(), unused);
    ASSERT_MPI_OK(
        MPI_Alltoall(in_place ? MPI_IN_PLACE : out.data(), count, MPI_INT, in.data(), count, MPI_INT, MPI_COMM_WORLD));
    ASSERT_EQ(in, expected) << "count " << count << ", in place " << in_place;
  }
}

TEST_F(Data, Alltoallv) {
  auto random = ranks::shared_random(109);
  for (int round = 0; round < rounds; ++round) {
    const int largest = reference::pick_count(random, 3'000) + 1;
    std::vector<Blocks> senders;  // what each rank gives to all others
    for (int rank = 0; rank < n; ++rank) senders.emplace_back(random, n, largest);
    const Blocks& mine = senders[at(me)];
    Ints out(at(mine.room), unused), counts(at(n)), places(at(n)), expected;
    for (int peer = 0; peer < n; ++peer) {
      const Ints give = contribution<int>(pair_key(round, peer), me, mine.count(peer));
      std::copy(give.begin(), give.end(), out.begin() + mine.place(peer));
      counts[at(peer)] = senders[at(peer)].count(me);
      places[at(peer)] = static_cast<int>(expected.size());
      const Ints get = contribution<int>(pair_key(round, me), peer, counts[at(peer)]);
      expected.insert(expected.end(), get.begin(), get.end());
      expected.push_back(unused);
    }
    Ints in(expected.size(), unused);
    ASSERT_MPI_OK(MPI_Alltoallv(out.data(), mine.counts.data(), mine.places.data(), MPI_INT, in.data(), counts.data(),
                                places.data(), MPI_INT, MPI_COMM_WORLD));
    ASSERT_EQ(in, expected);
  }
}

// In place, what two ranks exchange must be equally large: the counts are symmetric.
TEST_F(Data, AlltoallvInPlace) {
  auto random = ranks::shared_random(110);
  for (int round = 0; round < rounds; ++round) {
    Ints sizes(at(n * n)), counts(at(n)), places(at(n)), data, expected;
    for (int a = 0; a < n; ++a)
      for (int b = 0; b <= a; ++b) sizes[at(a * n + b)] = sizes[at(b * n + a)] = ranks::pick(random, 0, 2'000);
    for (int peer = 0; peer < n; ++peer) {
      counts[at(peer)] = sizes[at(me * n + peer)];
      places[at(peer)] = static_cast<int>(data.size());
      const Ints give = contribution<int>(pair_key(round, peer), me, counts[at(peer)]);
      const Ints get = contribution<int>(pair_key(round, me), peer, counts[at(peer)]);
      data.insert(data.end(), give.begin(), give.end());
      expected.insert(expected.end(), get.begin(), get.end());
    }
    ASSERT_MPI_OK(MPI_Alltoallv(MPI_IN_PLACE, nullptr, nullptr, MPI_INT, data.data(), counts.data(), places.data(),
                                MPI_INT, MPI_COMM_WORLD));
    ASSERT_EQ(data, expected);
  }
}

// Enough bytes for the algorithms that cut long messages up.
TEST_F(Data, LargeBcastAndAllgather) {
  const int count = 1'500'000;  // 6 MB
  Ints data = me == 0 ? contribution<int>(1, 0, count) : Ints(at(count));
  ASSERT_MPI_OK(MPI_Bcast(data.data(), count, MPI_INT, 0, MPI_COMM_WORLD));
  ASSERT_TRUE(data == contribution<int>(1, 0, count));
  const int part = 200'000;
  const Ints out = contribution<int>(2, me, part);
  Ints in(at(part * n));
  ASSERT_MPI_OK(MPI_Allgather(out.data(), part, MPI_INT, in.data(), part, MPI_INT, MPI_COMM_WORLD));
  ASSERT_TRUE(in == joined(2, part));
}

// Different collectives with different roots one after the other, without anything between: none takes another's bytes.
TEST_F(Data, MixedWithoutPause) {
  auto random = ranks::shared_random(111);
  for (int i = 0; i < 150; ++i) {
    const int root = ranks::pick(random, 0, n - 1);
    int value = me == root ? i : unused, sum = 0;
    switch (ranks::pick(random, 0, 3)) {
      case 0:
        ASSERT_MPI_OK(MPI_Bcast(&value, 1, MPI_INT, root, MPI_COMM_WORLD));
        ASSERT_EQ(value, i);
        break;
      case 1: {
        Ints all(at(n), unused);
        ASSERT_MPI_OK(MPI_Gather(&me, 1, MPI_INT, all.data(), 1, MPI_INT, root, MPI_COMM_WORLD));
        if (me == root) {
          ASSERT_EQ(all[at(n - 1)], n - 1);
        }
        break;
      }
      case 2:
        ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        ASSERT_EQ(sum, n * (n - 1) / 2);
        break;
      default: ASSERT_MPI_OK(MPI_Barrier(MPI_COMM_WORLD)); break;
    }
  }
}

}  // namespace
