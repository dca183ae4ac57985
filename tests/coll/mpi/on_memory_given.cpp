// Blocks given one by one, inside a node: of all lengths, before and after there are halls for the long ones.
#include <numeric>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

int value(int job, int from, int to, int i) { return job * 7919 + from * 104729 + to * 1009 + i * 31 + 5; }

// Ints that a rank has for another: none, a few, a small room full and a little more, much, more than a hall holds.
int length(int job, int from, int to) {
  constexpr int lengths[] = {3, 0, 1000, 1100, 9'000, 70'000};
  return lengths[(job * 5 + from * 7 + to * 3) % 6];
}

// Blocks one after the other, with gaps of a few ints.
struct Blocks {
  template <class Length>
  Blocks(int n, Length length_of) {
    int at = 2;
    for (int r = 0; r < n; ++r, at += counts.back() + r % 3) {
      displs.push_back(at);
      counts.push_back(length_of(r));
    }
    ints.assign(static_cast<std::size_t>(at), -1);
  }
  template <class Value>
  void fill(Value of) {
    for (std::size_t r = 0; r < counts.size(); ++r)
      for (int i = 0; i < counts[r]; ++i) ints[static_cast<std::size_t>(displs[r] + i)] = of(static_cast<int>(r), i);
  }
  Ints counts, displs, ints;
};

void gather(MPI_Comm comm, int job, bool everywhere) {
  const int n = ranks::count(comm), me = ranks::rank(comm), root = job % n;
  const auto of = [&](int r) { return length(job, r, 0); };
  Ints mine(static_cast<std::size_t>(of(me)));
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = value(job, me, 0, static_cast<int>(i));
  Blocks got(n, of), expected = got;
  if (everywhere || me == root) expected.fill([&](int r, int i) { return value(job, r, 0, i); });
  if (everywhere) {
    ASSERT_MPI_OK(MPI_Allgatherv(mine.data(), of(me), MPI_INT, got.ints.data(), got.counts.data(), got.displs.data(),
                                 MPI_INT, comm));
  } else {
    ASSERT_MPI_OK(MPI_Gatherv(mine.data(), of(me), MPI_INT, got.ints.data(), got.counts.data(), got.displs.data(),
                              MPI_INT, root, comm));
  }
  EXPECT_TRUE(got.ints == expected.ints) << (everywhere ? "allgatherv " : "gatherv ") << job;
}

void scatter(MPI_Comm comm, int job) {
  const int n = ranks::count(comm), me = ranks::rank(comm), root = job % n;
  Blocks out(n, [&](int r) { return length(job, root, r); });
  out.fill([&](int r, int i) { return value(job, root, r, i); });
  const int mine = length(job, root, me);
  Ints got(static_cast<std::size_t>(mine) + 1, -1), expected = got;
  for (int i = 0; i < mine; ++i) expected[static_cast<std::size_t>(i)] = value(job, root, me, i);
  ASSERT_MPI_OK(MPI_Scatterv(out.ints.data(), out.counts.data(), out.displs.data(), MPI_INT, got.data(), mine, MPI_INT,
                             root, comm));
  EXPECT_TRUE(got == expected) << "scatterv " << job;
}

void exchange(MPI_Comm comm, int job) {
  const int n = ranks::count(comm), me = ranks::rank(comm);
  Blocks out(n, [&](int r) { return length(job, me, r); }), got(n, [&](int r) { return length(job, r, me); }),
      expected = got;
  out.fill([&](int r, int i) { return value(job, me, r, i); });
  expected.fill([&](int r, int i) { return value(job, r, me, i); });
  ASSERT_MPI_OK(MPI_Alltoallv(out.ints.data(), out.counts.data(), out.displs.data(), MPI_INT, got.ints.data(),
                              got.counts.data(), got.displs.data(), MPI_INT, comm));
  EXPECT_TRUE(got.ints == expected.ints) << "alltoallv " << job;
}

void all_kinds(MPI_Comm comm, int first) {
  for (int job = first; job < first + 8; ++job) {
    gather(comm, job, false);
    scatter(comm, job);
    exchange(comm, job);
    gather(comm, job, true);
  }
}

// The first need for a hall is met many rounds later, so that all ranks know of it.
TEST(OnMemory, BlocksGivenOneByOne) {
  const int n = ranks::count();
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  for (const bool with_long : {false, true}) {
    for (int i = 0; i < 300; ++i) {
      int term = ranks::rank(), sum = -1, counts[64], displs[64];
      std::fill_n(counts, n, 1);
      std::iota(displs, displs + n, 0);
      ASSERT_MPI_OK(MPI_Scatterv(displs, counts, displs, MPI_INT, &sum, 1, MPI_INT, i % n, comm));
      ASSERT_EQ(sum, term) << i;
    }
    for (int i = 0; with_long && i < 300; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
    all_kinds(comm, with_long ? 100 : 0);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(OnMemory, ABlockTooLongIsAnError) {
  NEED_RANKS(2);
  const int n = ranks::count(), me = ranks::rank();
  const ranks::ReturningComm comm;
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  const auto size = static_cast<std::size_t>(n);
  Ints data(2 * size, 7), got(2 * size, -1), one(size, 1), two(size, 2), at(size);
  for (std::size_t r = 0; r < size; ++r) at[r] = 2 * static_cast<int>(r);
  const auto equal = [&](int count) {  // the same of blocks of one size
    const int all = MPI_Gather(data.data(), me == 0 ? 1 : 2, MPI_INT, got.data(), 1, MPI_INT, 0, comm);
    EXPECT_EQ(ranks::error_class(all), me == 0 ? MPI_ERR_TRUNCATE : MPI_SUCCESS);
    const int own = MPI_Scatter(data.data(), 2, MPI_INT, got.data(), me == 0 ? 2 : count, MPI_INT, 0, comm);
    EXPECT_EQ(ranks::error_class(own), me == 0 ? MPI_SUCCESS : MPI_ERR_TRUNCATE);
  };
  if (n == 2) equal(1);  // of more ranks, by messages, some hear from others who have cut it already
  got.assign(got.size(), -1);
  one[static_cast<std::size_t>(me)] = 2;  // a rank's own block fits
  const int gathered = MPI_Gatherv(data.data(), 2, MPI_INT, got.data(), one.data(), at.data(), MPI_INT, 0, comm);
  if (me == 0) {
    EXPECT_MPI_ERROR(gathered, MPI_ERR_TRUNCATE);
    EXPECT_EQ(got[3], -1);
  }
  const int scattered =
      MPI_Scatterv(data.data(), two.data(), at.data(), MPI_INT, got.data(), me == 0 ? 2 : 1, MPI_INT, 0, comm);
  EXPECT_EQ(ranks::error_class(scattered), me == 0 ? MPI_SUCCESS : MPI_ERR_TRUNCATE);
  EXPECT_MPI_ERROR(
      MPI_Alltoallv(data.data(), two.data(), at.data(), MPI_INT, got.data(), one.data(), at.data(), MPI_INT, comm),
      MPI_ERR_TRUNCATE);
  EXPECT_MPI_OK(MPI_Barrier(comm));
}

}  // namespace
