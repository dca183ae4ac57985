// Small blocking collectives inside a node, which after the first few of a communicator go by flags in shared memory: many
// of them, on several communicators, among nonblocking ones, with ranks that come late.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

int value(int job, int rank, int i) {
  return static_cast<int>(static_cast<unsigned>(job) * 7919U + static_cast<unsigned>(rank) * 104729U +
                          static_cast<unsigned>(i) * 31U + 5U);
}

// One random collective; `random` is the same at all ranks of the communicator.
void run_one(MPI_Comm comm, int job, ranks::Random& random) {
  const int n = ranks::count(comm), me = ranks::rank(comm);
  const int kind = ranks::pick(random, 0, 3), root = ranks::pick(random, 0, n - 1);
  const int lengths[] = {0, 1, ranks::pick(random, 2, 200), 511, 512, 513, 1500};
  const int length = lengths[ranks::pick(random, 0, 6)];
  const bool in_place = ranks::pick(random, 0, 1) == 1;
  Ints mine, sum(static_cast<std::size_t>(length), 0), got(static_cast<std::size_t>(length), -1);
  for (int i = 0; i < length; ++i) {
    mine.push_back(value(job, me, i));
    for (int r = 0; r < n; ++r) sum[static_cast<std::size_t>(i)] ^= value(job, r, i);
  }
  switch (kind) {
    case 0: EXPECT_MPI_OK(MPI_Barrier(comm)); break;
    case 1: {
      for (int i = 0; i < length; ++i) sum[static_cast<std::size_t>(i)] = value(job, root, i);
      if (me == root) got = mine;
      EXPECT_MPI_OK(MPI_Bcast(got.data(), length, MPI_INT, root, comm));
      EXPECT_EQ(got, sum) << "bcast of " << length << ", job " << job;
      break;
    }
    case 2: {
      if (in_place && me == root) got = mine;
      const void* const from = in_place && me == root ? MPI_IN_PLACE : mine.data();
      EXPECT_MPI_OK(MPI_Reduce(from, got.data(), length, MPI_INT, MPI_BXOR, root, comm));
      EXPECT_EQ(got, me == root ? sum : Ints(static_cast<std::size_t>(length), -1)) << "reduce of " << length;
      break;
    }
    default:
      if (in_place) got = mine;
      EXPECT_MPI_OK(MPI_Allreduce(in_place ? MPI_IN_PLACE : mine.data(), got.data(), length, MPI_INT, MPI_BXOR, comm));
      EXPECT_EQ(got, sum) << "allreduce of " << length << ", job " << job;
  }
}

TEST(OnMemory, ManyOnSeveralCommunicatorsWithLateRanks) {
  const int n = ranks::count(), me = ranks::rank();
  auto random = ranks::shared_random(21);
  auto own = ranks::own_random(22);
  MPI_Comm comms[3];
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comms[0]));
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, 0, -me, &comms[1]));
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, me < (n + 1) / 2 ? 0 : 1, 0, &comms[2]));
  std::vector<MPI_Request> requests;
  for (int job = 0; job < 600; ++job) {
    const MPI_Comm comm = comms[ranks::pick(random, 0, 2)];
    ranks::Random same(random());  // so that halves may draw differently
    if (ranks::pick(own, 0, 60) == 0) usleep(static_cast<useconds_t>(ranks::pick(own, 0, 3000)));
    if (job % 50 == 0) {
      requests.emplace_back();
      ASSERT_MPI_OK(MPI_Ibarrier(comm, &requests.back()));
    }
    run_one(comm, job, same);
    if (testing::Test::HasFailure()) break;
  }
  ASSERT_MPI_OK(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE));
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Everybody sleeps by the time that the last one comes, in turn.
TEST(OnMemory, WhoSleepsIsWoken) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  for (int late = 0; late < std::min(n, 4); ++late) {
    int sum = 0, token = me == late ? late + 100 : -1;
    if (me == late) usleep(30'000);
    ASSERT_MPI_OK(MPI_Bcast(&token, 1, MPI_INT, late, comm));
    EXPECT_EQ(token, late + 100);
    if (me == late) usleep(30'000);
    ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm));
    EXPECT_EQ(sum, n * (n - 1) / 2);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// The root runs ahead; a slow rank must still find each message.
TEST(OnMemory, ARootThatRunsAheadOverwritesNothing) {
  MPI_Comm comm;
  const int me = ranks::rank();
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 200; ++i) {
    int token = me == 0 ? i : -1;
    if (me != 0 && i % 40 == me) usleep(2000);
    ASSERT_MPI_OK(MPI_Bcast(&token, 1, MPI_INT, 0, comm));
    ASSERT_EQ(token, i);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// A rank's part in one of the collectives in which some wait for nobody.
struct RunAhead {
  RunAhead(int number, int ints, MPI_Comm where)
      : job(number), count(ints), me(ranks::rank(where)), n(ranks::count(where)), comm(where) {
    for (int i = 0; i < count; ++i) mine.push_back(value(job, me, i));
    for (int r = 0; r < n; ++r)
      for (int i = 0; i < count; ++i) all.push_back(value(job, r, i));
    got.assign(mine.size(), -1);
  }
  Ints sum_of(int ranks_below) const {
    Ints sum(mine.size(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(ranks_below) * sum.size(); ++i) sum[i % sum.size()] ^= all[i];
    return sum;
  }
  const void* own_or_in_place() {
    if (job % 2 == 0) return mine.data();
    got = mine;
    return MPI_IN_PLACE;
  }
  void from_root(bool scattered, int root) {
    if (scattered) {
      ASSERT_MPI_OK(MPI_Scatter(all.data(), count, MPI_INT, got.data(), count, MPI_INT, root, comm));
      ASSERT_EQ(got, mine) << "scatter, job " << job;
    } else {
      if (me == root) got = mine;
      ASSERT_MPI_OK(MPI_Bcast(got.data(), count, MPI_INT, root, comm));
      ASSERT_TRUE(std::equal(got.begin(), got.end(), all.begin() + root * count)) << "bcast, job " << job;
    }
  }
  void prefix(bool inclusive) {
    const void* const from = own_or_in_place();
    ASSERT_MPI_OK(inclusive ? MPI_Scan(from, got.data(), count, MPI_INT, MPI_BXOR, comm)
                            : MPI_Exscan(from, got.data(), count, MPI_INT, MPI_BXOR, comm));
    ASSERT_TRUE((me == 0 && !inclusive) || got == sum_of(me + inclusive))
        << (inclusive ? "scan" : "exscan") << ", job " << job;
  }
  void to_root(bool summed, int root) {
    if (summed) {
      ASSERT_MPI_OK(MPI_Reduce(mine.data(), got.data(), count, MPI_INT, MPI_BXOR, root, comm));
      ASSERT_TRUE(me != root || got == sum_of(n)) << "reduce, job " << job;
    } else {
      Ints every(all.size(), -1);
      ASSERT_MPI_OK(MPI_Gather(mine.data(), count, MPI_INT, every.data(), count, MPI_INT, root, comm));
      ASSERT_TRUE(me != root || every == all) << "gather, job " << job;
    }
  }
  void run(int kind, int root) {
    if (kind < 2) return from_root(kind == 1, root);
    if (kind < 4) return prefix(kind == 2);
    to_root(kind == 4, root);
  }

  int job, count, me, n;
  MPI_Comm comm;
  Ints mine, all, got;
};

// Collectives in which some wait for nobody, so that they are ahead by all the places there are, whoever is the slow one.
// Roots stay for a while and then change; kinds and lengths change all the time.
TEST(OnMemory, RanksThatRunAhead) {
  const int n = ranks::count(), me = ranks::rank();
  constexpr int jobs = 2500;
  auto random = ranks::shared_random(31);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  int root = 0, slow = 0, kind = 0;
  for (int job = 0; job < jobs && !HasFatalFailure(); ++job) {
    if (job % 600 == 0) root = ranks::pick(random, 0, n - 1), slow = ranks::pick(random, 0, n - 1);
    if (job % 600 == 0 || job % 600 >= 300) kind = ranks::pick(random, 0, 5);  // before 300 a long run of one kind
    if (job % 400 == 399) root = (root + 1) % n;
    const int most = ranks::pick(random, 0, 9) == 0 ? 700 : 9;
    const int count = ranks::pick(random, 1, most);
    if (me == slow && job % 300 == 20) usleep(3000);
    RunAhead(job, count, comm).run(kind, root);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// The same bits, however fast each was.
TEST(OnMemory, PrefixSumsDoNotDependOnWhoWasFirst) {
  const int me = ranks::rank();
  auto own = ranks::own_random(33);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  const double mine = me % 2 ? -1e16 + me : 1e16 + 0.3 * me;
  double first_sum = 0, first_below = 0;
  for (int i = 0; i < 600; ++i) {
    double sum = 0, below = 0;
    if (ranks::pick(own, 0, 150) == 0) usleep(1000);
    ASSERT_MPI_OK(MPI_Scan(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, comm));
    ASSERT_MPI_OK(MPI_Exscan(&mine, &below, 1, MPI_DOUBLE, MPI_SUM, comm));
    if (i == 0) first_sum = sum, first_below = below;
    ASSERT_EQ(sum, first_sum) << i;
    ASSERT_EQ(below, first_below) << i;
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(OnMemory, TypesMayDifferBetweenRanks) {
  const int me = ranks::rank();
  MPI_Datatype spread;
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  ASSERT_MPI_OK(MPI_Type_vector(5, 1, 3, MPI_INT, &spread));
  ASSERT_MPI_OK(MPI_Type_commit(&spread));
  for (int i = 0; i < 40; ++i) {
    Ints buffer(13, -1);
    const bool holes = me % 2 == i % 2;
    const int root = i % ranks::count(), step = holes ? 3 : 1;
    for (int k = 0; me == root && k < 5; ++k) buffer[static_cast<std::size_t>(k * step)] = value(i, root, k);
    Ints expected(13, -1);
    for (int k = 0; k < 5; ++k) expected[static_cast<std::size_t>(k * step)] = value(i, root, k);
    ASSERT_MPI_OK(MPI_Bcast(buffer.data(), holes ? 1 : 5, holes ? spread : MPI_INT, root, comm));
    ASSERT_EQ(buffer, expected);
  }
  ASSERT_MPI_OK(MPI_Type_free(&spread));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Values with an index are as long as their types say, and stay with the messages where there are holes.
TEST(OnMemory, PairsAndOrder) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  struct Pair {
    double number;
    int where;
  };
  for (int i = 0; i < 30; ++i) {
    const Pair mine{static_cast<double>((me + i) % n), me};
    Pair got{-1, -1};
    ASSERT_MPI_OK(MPI_Allreduce(&mine, &got, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
    EXPECT_EQ(got.number, n - 1);
    EXPECT_EQ((got.where + i) % n, n - 1);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(OnMemory, AMessageTooLongIsAnError) {
  // Of more ranks, by messages, some hear from others who have cut it already.
  if (ranks::count() != 2) GTEST_SKIP() << "needs two ranks";
  ranks::ReturningComm comm;
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  Ints buffer(10, ranks::rank());
  if (ranks::rank() == 0) {
    EXPECT_MPI_OK(MPI_Bcast(buffer.data(), 10, MPI_INT, 0, comm));
  } else {
    EXPECT_MPI_ERROR(MPI_Bcast(buffer.data(), 5, MPI_INT, 0, comm), MPI_ERR_TRUNCATE);
    EXPECT_EQ(buffer[5], ranks::rank());
  }
  EXPECT_MPI_OK(MPI_Barrier(comm));
}

// With MPI_THREAD_MULTIPLE: each thread on a communicator of its own.
TEST(OnMemory, FromSeveralThreads) {
  int level = MPI_THREAD_SINGLE;
  MPI_Query_thread(&level);
  if (level < MPI_THREAD_MULTIPLE) GTEST_SKIP() << "needs MPI_THREAD_MULTIPLE";
  MPI_Comm comms[2];
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      ranks::Random random(static_cast<std::uint64_t>(t) + 5);
      for (int job = 0; job < 150; ++job) run_one(comms[t], 1000 * t + job, random);
    });
  for (std::thread& thread : threads) thread.join();
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Vectors that are longer than the rooms of the ranks, and what must come of them.
struct LongVector {
  LongVector(int ints, MPI_Comm where)
      : length(ints), n(ranks::count(where)), me(ranks::rank(where)), root(ints % n), comm(where), sum(size(), 0),
        below(size(), 0), all(size() * static_cast<std::size_t>(n), -1) {
    for (int r = 0; r < n; ++r)
      for (int i = 0; i < length; ++i) {
        const int number = value(length, r, i);
        expected.push_back(number);
        sum[static_cast<std::size_t>(i)] ^= number;
        if (r < me) below[static_cast<std::size_t>(i)] ^= number;
        if (r == me) mine.push_back(number);
      }
  }
  std::size_t size() const { return static_cast<std::size_t>(length); }
  void start(bool in_place) {
    got = in_place ? mine : Ints(size(), -1);
    from = in_place ? MPI_IN_PLACE : mine.data();
    words = " of " + std::to_string(length) + (in_place ? " in place" : "");
  }
  void sums(bool in_place) {
    start(in_place);
    ASSERT_MPI_OK(MPI_Allreduce(from, got.data(), length, MPI_INT, MPI_BXOR, comm));
    EXPECT_TRUE(got == sum) << "allreduce" << words;
    start(in_place);
    ASSERT_MPI_OK(MPI_Reduce(me == root ? from : mine.data(), got.data(), length, MPI_INT, MPI_BXOR, root, comm));
    EXPECT_TRUE(got == (me == root ? sum : in_place ? mine : Ints(size(), -1))) << "reduce" << words;
  }
  void prefix_sums(bool in_place) {
    start(in_place);
    ASSERT_MPI_OK(MPI_Exscan(from, got.data(), length, MPI_INT, MPI_BXOR, comm));
    EXPECT_TRUE(me == 0 || got == below) << "exscan" << words;
    start(in_place);
    ASSERT_MPI_OK(MPI_Scan(from, got.data(), length, MPI_INT, MPI_BXOR, comm));
    for (std::size_t i = 0; i < size(); ++i) got[i] ^= mine[i];
    EXPECT_TRUE(got == below) << "scan" << words;
  }
  void blocks() {
    start(true);
    ASSERT_MPI_OK(MPI_Bcast(got.data(), length, MPI_INT, root, comm));
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin() + root * length)) << "bcast of " << length;
    ASSERT_MPI_OK(MPI_Allgather(mine.data(), length, MPI_INT, all.data(), length, MPI_INT, comm));
    EXPECT_TRUE(all == expected) << "allgather of " << length;
    all.assign(all.size(), -1);
    std::copy(mine.begin(), mine.end(), all.begin() + me * length);
    ASSERT_MPI_OK(MPI_Allgather(MPI_IN_PLACE, 0, MPI_INT, all.data(), length, MPI_INT, comm));
    EXPECT_TRUE(all == expected) << "allgather in place of " << length;
    all.assign(all.size(), -1);
    ASSERT_MPI_OK(MPI_Gather(mine.data(), length, MPI_INT, all.data(), length, MPI_INT, root, comm));
    EXPECT_TRUE(me != root || all == expected) << "gather of " << length;
  }

  int length, n, me, root;
  MPI_Comm comm;
  Ints mine, sum, below, all, expected, got;  // below: the sum of the ranks before this one
  const void* from = nullptr;
  std::string words;
};

// Piece by piece on memory: it depends on the number of processors.
TEST(OnMemory, LongVectors) {
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  for (const int length : {20'000, 150'001}) {
    LongVector vector(length, comm);
    for (const bool in_place : {false, true}) {
      vector.sums(in_place);
      vector.prefix_sums(in_place);
    }
    vector.blocks();
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Values with holes between them, and not in pieces that fit: an index beside a number.
TEST(OnMemory, LongVectorsOfPairs) {
  constexpr int length = 20'021;
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  struct Pair {
    double number;
    int where;
  };
  std::vector<Pair> mine(length), got(length);
  for (int i = 0; i < length; ++i) mine[static_cast<std::size_t>(i)] = {static_cast<double>((me + i) % n), me};
  const auto check = [&](int ranks) {
    for (int i = 0; i < length; ++i) {
      const Pair& pair = got[static_cast<std::size_t>(i)];
      int best = 0;
      for (int r = 0; r < ranks; ++r) best = (r + i) % n > (best + i) % n ? r : best;
      ASSERT_EQ(pair.where, best) << i;
      ASSERT_EQ(pair.number, (best + i) % n) << i;
    }
  };
  ASSERT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), length, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
  check(n);
  ASSERT_MPI_OK(MPI_Scan(mine.data(), got.data(), length, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
  check(me + 1);
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Long blocks, and a rank that comes late.
TEST(OnMemory, LongBlocks) {
  const int n = ranks::count(), me = ranks::rank();
  const int length = n > 4 ? 70'001 : 200'003;  // more than 256 KiB either way
  const auto size = static_cast<std::size_t>(length * n);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  Ints out(size), in(size, -1), expected(size);
  for (int r = 0; r < n; ++r)
    for (int i = 0; i < length; ++i) {
      out[static_cast<std::size_t>(r * length + i)] = value(r, me, i);
      expected[static_cast<std::size_t>(r * length + i)] = value(me, r, i);
    }
  for (int late = 0; late < std::min(n, 2); ++late) {
    std::fill(in.begin(), in.end(), -1);
    if (me == late) usleep(5000);
    ASSERT_MPI_OK(MPI_Alltoall(out.data(), length, MPI_INT, in.data(), length, MPI_INT, comm));
    EXPECT_TRUE(in == expected) << late;
  }
  in = out;
  ASSERT_MPI_OK(MPI_Alltoall(MPI_IN_PLACE, 0, MPI_INT, in.data(), length, MPI_INT, comm));
  EXPECT_TRUE(in == expected) << "in place";
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// The halls of eight ranks take 8 MiB, and a process uses no more than 256.
TEST(OnMemory, ThereIsNotMemoryForAll) {
  constexpr std::size_t many = 36;
  const int n = ranks::count(), me = ranks::rank();
  if (n != 8) GTEST_SKIP() << "needs eight ranks";
  std::vector<MPI_Comm> comms(many);
  for (MPI_Comm& comm : comms) {
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
    for (const int length : {4000, 20'000, 4000}) {
      const Ints mine(static_cast<std::size_t>(length), me);
      Ints sum(mine.size(), -1);
      ASSERT_MPI_OK(MPI_Allreduce(mine.data(), sum.data(), length, MPI_INT, MPI_SUM, comm));
      ASSERT_EQ(sum, Ints(mine.size(), n * (n - 1) / 2));
    }
  }
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Each with memory of its own, by the last rounds at the latest; with MPI_THREAD_MULTIPLE by two threads at once.
TEST(OnMemory, OnAHundredCommunicatorsAtOnce) {
  constexpr std::size_t many = 100, rounds = 6;
  const int n = ranks::count(), me = ranks::rank();
  int level = MPI_THREAD_SINGLE;
  MPI_Query_thread(&level);
  const std::size_t count = level == MPI_THREAD_MULTIPLE ? 2 : 1;
  std::vector<MPI_Comm> comms(many);
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < rounds * many; i += count) {
      const int term = me + static_cast<int>(i), root = static_cast<int>(i / many) % n;
      int sum = 0, token = me == root ? term : -1;
      ASSERT_MPI_OK(MPI_Allreduce(&term, &sum, 1, MPI_INT, MPI_SUM, comms[i % many]));
      ASSERT_EQ(sum, n * (n - 1) / 2 + n * static_cast<int>(i));
      ASSERT_MPI_OK(MPI_Bcast(&token, 1, MPI_INT, root, comms[i % many]));
      ASSERT_EQ(token, root + static_cast<int>(i));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 1; t < count; ++t) threads.emplace_back(work, t);
  work(0);
  for (std::thread& thread : threads) thread.join();
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

}  // namespace
