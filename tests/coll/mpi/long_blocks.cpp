// Long blocks that have one reader each, MPI_Scatter and MPI_Reduce_scatter, of every size and shape: on the memory of a node
// they go piece by piece. Results are compared with what plain loops say.
#include <algorithm>
#include <functional>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

std::size_t sized(int n) { return static_cast<std::size_t>(n); }

int value(int rank, int i) {
  return static_cast<int>(static_cast<unsigned>(rank) * 104729U + static_cast<unsigned>(i) * 31U + 5U);
}

// A communicator whose collectives go by memory already, where they do.
class Warm {
 public:
  Warm() {
    EXPECT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm_));
    for (int i = 0; i < 10; ++i) EXPECT_MPI_OK(MPI_Barrier(comm_));
  }
  Warm(const Warm&) = delete;
  Warm& operator=(const Warm&) = delete;
  ~Warm() { MPI_Comm_free(&comm_); }
  operator MPI_Comm() const { return comm_; }

 private:
  MPI_Comm comm_;
};

// Blocks that fit into a piece together, one at a time, and none; roots that run ahead into the next call.
TEST(LongBlocks, Scatter) {
  const int n = ranks::count(), me = ranks::rank();
  Warm comm;
  for (const int length : {9'001, 20'000, 140'001}) {
    for (const int root : {0, n / 2, n - 1}) {
      const bool in_place = (root + length) % 2 == 0;
      Ints all, got(sized(length), -1), expected;
      for (int i = 0; me == root && i < length * n; ++i) all.push_back(value(root, i));
      for (int i = 0; i < length; ++i) expected.push_back(value(root, me * length + i));
      const Ints before = all;
      void* const to = in_place && me == root ? MPI_IN_PLACE : got.data();
      ASSERT_MPI_OK(MPI_Scatter(all.data(), length, MPI_INT, to, length, MPI_INT, root, comm));
      EXPECT_TRUE(all == before) << length << " from " << root;
      if (to == MPI_IN_PLACE) continue;
      EXPECT_TRUE(got == expected) << length << " from " << root;
    }
  }
}

// The same layout need not stand at both ends.
TEST(LongBlocks, ScatterOfBlocksWithHoles) {
  const int n = ranks::count(), me = ranks::rank(), root = n - 1;
  constexpr int length = 30'000, step = 2;
  MPI_Datatype spread;
  ASSERT_MPI_OK(MPI_Type_create_resized(MPI_INT, 0, step * static_cast<int>(sizeof(int)), &spread));
  ASSERT_MPI_OK(MPI_Type_commit(&spread));
  Warm comm;
  const bool holes = me % 2 == 0;
  Ints all, got(sized(length * step), -1), expected = got;
  for (int i = 0; me == root && i < length * n * step; ++i) all.push_back(value(root, i));
  for (int i = 0; i < length; ++i) expected[sized(holes ? i * step : i)] = value(root, (me * length + i) * step);
  ASSERT_MPI_OK(MPI_Scatter(all.data(), length, spread, got.data(), length, holes ? spread : MPI_INT, root, comm));
  EXPECT_TRUE(got == expected);
  MPI_Type_free(&spread);
}

// Reduces what number(rank, i) says of each rank and compares the block of this one. combine(first, i): what all ranks from
// `first` on come to.
template <class Value>
struct Sums {
  MPI_Datatype type;
  MPI_Op op;
  std::function<Value(int, int)> number;
  std::function<Value(int)> total;

  void check(MPI_Comm comm, const Ints& counts, bool in_place, bool even) const {
    const int me = ranks::rank(comm);
    int all = 0, first = 0;
    for (int r = 0; r < ranks::count(comm); ++r) {
      if (r == me) first = all;
      all += counts[sized(r)];
    }
    const int own = counts[sized(me)];
    std::vector<Value> mine, got(sized(own));
    for (int i = 0; i < all; ++i) mine.push_back(number(me, i));
    std::vector<Value>& to = in_place ? mine : got;
    const void* const from = in_place ? MPI_IN_PLACE : mine.data();
    if (even) {
      ASSERT_MPI_OK(MPI_Reduce_scatter_block(from, to.data(), own, type, op, comm));
    } else {
      ASSERT_MPI_OK(MPI_Reduce_scatter(from, to.data(), counts.data(), type, op, comm));
    }
    for (int i = 0; i < own; ++i)
      ASSERT_TRUE(to[sized(i)] == total(first + i)) << i << " of " << own << " from " << first;
  }
};

Sums<int> sums_of_ints(int n) {
  return {MPI_INT, MPI_BXOR, value, [n](int i) {
            int out = 0;
            for (int r = 0; r < n; ++r) out ^= value(r, i);
            return out;
          }};
}

TEST(LongBlocks, ReduceScatterBlock) {
  const int n = ranks::count();
  const Sums<int> sums = sums_of_ints(n);
  Warm comm;
  for (const int length : {3'001, 20'000, 70'001})
    for (const bool in_place : {false, true}) sums.check(comm, Ints(sized(n), length), in_place, true);
}

// Ranks without a block, with all of it, with much and with one.
TEST(LongBlocks, ReduceScatterOfUnevenBlocks) {
  const int n = ranks::count();
  const Sums<int> sums = sums_of_ints(n);
  Warm comm;
  for (const bool in_place : {false, true})
    for (int turn = 0; turn < std::min(n, 4); ++turn) {
      Ints one(sized(n), 0), mixed(sized(n), 0);
      one[sized(turn)] = 100'003;
      const int lengths[] = {90'001, 0, 1, 20'000, 8'192};
      for (int r = 0; r < n; ++r) mixed[sized(r)] = lengths[sized((r + turn) % 5)];
      sums.check(comm, one, in_place, false);
      sums.check(comm, mixed, in_place, false);
    }
}

struct Pair {
  double number;
  int where;
  bool operator==(const Pair& other) const { return number == other.number && where == other.where; }
};

// Of equal numbers the lowest rank's wins; between a pair and the next is a hole.
TEST(LongBlocks, ReduceScatterOfPairs) {
  const int n = ranks::count();
  const auto number = [n](int r, int i) { return Pair{static_cast<double>((r + i) % n / 2), r}; };
  const auto best = [&](int i) {
    Pair out = number(0, i);
    for (int r = 1; r < n; ++r)
      if (number(r, i).number > out.number) out = number(r, i);
    return out;
  };
  const Sums<Pair> sums{MPI_DOUBLE_INT, MPI_MAXLOC, number, best};
  Warm comm;
  Ints uneven(sized(n), 5'003);
  uneven[0] = 0, uneven[sized(n - 1)] = 30'001;
  for (const bool in_place : {false, true}) {
    sums.check(comm, Ints(sized(n), 7'001), in_place, true);
    sums.check(comm, uneven, in_place, false);
  }
}

// Two numbers a, b stand for the map of x to a x + b; the operation makes one map of two.
struct Map {
  unsigned a, b;
  bool operator==(const Map& other) const { return a == other.a && b == other.b; }
};
Map then(Map first, Map second) { return {first.a * second.a, first.b * second.a + second.b}; }
void combine_maps(void* in, void* inout, int* n, MPI_Datatype*) {
  for (int i = 0; i < *n; ++i)
    static_cast<Map*>(inout)[i] = then(static_cast<Map*>(in)[i], static_cast<Map*>(inout)[i]);
}

TEST(LongBlocks, ReduceScatterInTheOrderOfRanks) {
  const int n = ranks::count();
  const auto number = [](int r, int i) {
    return Map{2 * static_cast<unsigned>(value(r, i)) + 1, static_cast<unsigned>(i)};
  };
  const auto total = [&](int i) {
    Map out = number(0, i);
    for (int r = 1; r < n; ++r) out = then(out, number(r, i));
    return out;
  };
  MPI_Op op;
  MPI_Datatype pair;
  ASSERT_MPI_OK(MPI_Op_create(combine_maps, 0, &op));
  ASSERT_MPI_OK(MPI_Type_contiguous(2, MPI_UNSIGNED, &pair));
  ASSERT_MPI_OK(MPI_Type_commit(&pair));
  const Sums<Map> sums{pair, op, number, total};
  Warm comm;
  Ints uneven(sized(n), 9'001);
  uneven[sized(n / 2)] = 0;
  for (const bool in_place : {false, true}) {
    sums.check(comm, Ints(sized(n), 8'001), in_place, true);
    sums.check(comm, uneven, in_place, false);
  }
  MPI_Type_free(&pair);
  MPI_Op_free(&op);
}

// One after the other without a pause, each with another root and other blocks.
TEST(LongBlocks, InTurn) {
  const int n = ranks::count(), me = ranks::rank();
  const Sums<int> sums = sums_of_ints(n);
  auto random = ranks::shared_random(41);
  Warm comm;
  for (int job = 0; job < 30; ++job) {
    const int length =
        ranks::pick(random, 1, 3) == 1 ? ranks::pick(random, 1, 300) : ranks::pick(random, 8'000, 30'000);
    const int root = ranks::pick(random, 0, n - 1);
    if (ranks::pick(random, 0, 1) == 0) {
      sums.check(comm, Ints(sized(n), length), job % 2 == 0, job % 3 == 0);
      continue;
    }
    Ints all, got(sized(length), -1), expected;
    for (int i = 0; me == root && i < length * n; ++i) all.push_back(value(root + job, i));
    for (int i = 0; i < length; ++i) expected.push_back(value(root + job, me * length + i));
    ASSERT_MPI_OK(MPI_Scatter(all.data(), length, MPI_INT, got.data(), length, MPI_INT, root, comm));
    ASSERT_TRUE(got == expected) << job;
  }
}

}  // namespace
