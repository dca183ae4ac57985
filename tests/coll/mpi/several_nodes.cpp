// Blocking collectives of communicators that lie on several nodes, whose parts inside of nodes go by shared memory after the
// first few: any ranks in any order, so that nodes are uneven, alone and mixed; algorithms named or not; short and long.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string>

#include "coll/mpi/pieces.hpp"
#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

int value(int job, int rank, int i) {
  return static_cast<int>(static_cast<unsigned>(job) * 7919U + static_cast<unsigned>(rank) * 104729U +
                          static_cast<unsigned>(i) * 31U + 5U);
}

double seconds() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // of the machine, which all these hosts are
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// x -> a x + b; to do one, then the other: is not the same the other way round.
struct Line {
  int a, b;
  bool operator==(const Line&) const = default;
};
Line then(Line first, Line second) {
  const auto times = [](int x, int y) { return static_cast<int>(static_cast<unsigned>(x) * static_cast<unsigned>(y)); };
  return {times(first.a, second.a),
          static_cast<int>(static_cast<unsigned>(times(second.a, first.b)) + static_cast<unsigned>(second.b))};
}
void chain(void* left, void* right, int* count, MPI_Datatype*) {
  const auto* const first = static_cast<const Line*>(left);
  auto* const both = static_cast<Line*>(right);
  for (int i = 0; i < *count; ++i) both[i] = then(first[i], both[i]);
}

struct Pair {
  double number;
  int where;
};

// Some of the ranks, in some order; null for those that are not among them.
MPI_Comm some_ranks(ranks::Random& random) {
  const int n = ranks::count();
  Ints order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (ranks::pick(random, 0, 1)) std::shuffle(order.begin(), order.end(), random);
  const int members = ranks::pick(random, 0, 2) ? ranks::pick(random, 1, n) : n;
  std::vector<int> left(order.begin(), order.begin() + members);
  if (ranks::pick(random, 0, 1)) std::sort(left.begin(), left.end());
  const auto found = std::find(left.begin(), left.end(), ranks::rank());
  MPI_Comm comm;
  EXPECT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, found == left.end() ? MPI_UNDEFINED : 0,
                               static_cast<int>(found - left.begin()), &comm));
  return comm;
}

void name_algorithms(MPI_Comm comm, int which) {
  const char* const names[] = {
      nullptr,
      "barrier=hierarchical,bcast=hierarchical,reduce=hierarchical,allreduce=hierarchical,allgather=hierarchical,"
      "gather=hierarchical,scatter=hierarchical,scan=hierarchical,exscan=hierarchical",
      "bcast=hierarchical_large,reduce=hierarchical_large,allreduce=hierarchical_split,allgather=hierarchical_ring"};
  if (!names[which] || ranks::foreign()) return;
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_coll", names[which]);
  EXPECT_MPI_OK(MPI_Comm_set_info(comm, info));
  MPI_Info_free(&info);
}

class SeveralNodes : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Type_contiguous(2, MPI_INT, &line_);
    MPI_Type_commit(&line_);
    MPI_Op_create(chain, 0, &chain_);
  }
  void TearDown() override {
    MPI_Op_free(&chain_);
    MPI_Type_free(&line_);
  }

  // One random collective; `random` is the same at all ranks of the communicator.
  void run_one(MPI_Comm comm, int job, ranks::Random& random, int longest) {
    const int n = ranks::count(comm), me = ranks::rank(comm);
    const int kind = ranks::pick(random, 0, 10), root = ranks::pick(random, 0, n - 1),
              late = ranks::pick(random, 0, n - 1);
    const int lengths[] = {0, 1, 2, ranks::pick(random, 3, 20), 14, 15, ranks::pick(random, 500, 1500), longest};
    const int length = lengths[ranks::pick(random, 0, 7)];
    const bool in_place = ranks::pick(random, 0, 1) == 1;
    const auto size = static_cast<std::size_t>(length);
    SCOPED_TRACE("job " + std::to_string(job) + ", kind " + std::to_string(kind) + ", " + std::to_string(length) +
                 " of " + std::to_string(n) + " ranks, root " + std::to_string(root) + (in_place ? ", in place" : ""));
    Ints mine, sum(size, 0), got(size, -1);
    for (int i = 0; i < length; ++i) {
      mine.push_back(value(job, me, i));
      for (int r = 0; r < n; ++r) sum[static_cast<std::size_t>(i)] ^= value(job, r, i);
    }
    switch (kind) {
      case 0: barrier(comm, me == late && job % 5 == 0); break;
      case 1:
        for (int i = 0; i < length; ++i) sum[static_cast<std::size_t>(i)] = value(job, root, i);
        if (me == root) got = mine;
        EXPECT_MPI_OK(MPI_Bcast(got.data(), length, MPI_INT, root, comm));
        EXPECT_TRUE(got == sum) << "bcast";
        break;
      case 2: {
        if (in_place && me == root) got = mine;
        const void* const from = in_place && me == root ? MPI_IN_PLACE : mine.data();
        EXPECT_MPI_OK(MPI_Reduce(from, got.data(), length, MPI_INT, MPI_BXOR, root, comm));
        EXPECT_TRUE(got == (me == root ? sum : Ints(size, -1))) << "reduce";
        break;
      }
      case 3:
        if (in_place) got = mine;
        EXPECT_MPI_OK(
            MPI_Allreduce(in_place ? MPI_IN_PLACE : mine.data(), got.data(), length, MPI_INT, MPI_BXOR, comm));
        EXPECT_TRUE(got == sum) << "allreduce";
        break;
      case 4: gather(comm, job, mine, in_place); break;
      case 5: in_order(comm, job, length, root, in_place); break;
      case 6: with_holes(comm, length, root); break;
      case 7: columns(comm, job, length, root); break;
      case 8: gather_to(comm, job, mine, root, in_place); break;
      case 9: scatter_from(comm, job, length, root, in_place); break;
      default: prefix(comm, job, mine, job % 2 == 0, in_place);
    }
  }

 private:
  static void barrier(MPI_Comm comm, bool late) {
    if (late) usleep(2000);
    double came = seconds(), last = 0;
    EXPECT_MPI_OK(MPI_Barrier(comm));
    const double left = seconds();
    EXPECT_MPI_OK(MPI_Allreduce(&came, &last, 1, MPI_DOUBLE, MPI_MAX, comm));
    EXPECT_LE(last, left);
  }

  static void prefix(MPI_Comm comm, int job, const Ints& mine, bool inclusive, bool in_place) {
    const int me = ranks::rank(comm), length = static_cast<int>(mine.size());
    Ints below(mine.size(), 0), got = in_place ? mine : Ints(mine.size(), -1);
    for (int r = 0; r < me + inclusive; ++r)
      for (int i = 0; i < length; ++i) below[static_cast<std::size_t>(i)] ^= value(job, r, i);
    const void* const from = in_place ? MPI_IN_PLACE : mine.data();
    EXPECT_MPI_OK(inclusive ? MPI_Scan(from, got.data(), length, MPI_INT, MPI_BXOR, comm)
                            : MPI_Exscan(from, got.data(), length, MPI_INT, MPI_BXOR, comm));
    EXPECT_TRUE(got == below || (me == 0 && !inclusive)) << (inclusive ? "scan" : "exscan");
  }

  static void gather_to(MPI_Comm comm, int job, const Ints& mine, int root, bool in_place) {
    const int n = ranks::count(comm), me = ranks::rank(comm), length = static_cast<int>(mine.size());
    Ints all(mine.size() * static_cast<std::size_t>(n), -1), expected(all);
    for (int r = 0; me == root && r < n; ++r)
      for (int i = 0; i < length; ++i) expected[static_cast<std::size_t>(r * length + i)] = value(job, r, i);
    in_place = in_place && me == root;
    if (in_place) std::copy(mine.begin(), mine.end(), all.begin() + me * length);
    EXPECT_MPI_OK(
        MPI_Gather(in_place ? MPI_IN_PLACE : mine.data(), length, MPI_INT, all.data(), length, MPI_INT, root, comm));
    EXPECT_TRUE(all == expected) << "gather";
  }

  static void scatter_from(MPI_Comm comm, int job, int length, int root, bool in_place) {
    const int n = ranks::count(comm), me = ranks::rank(comm);
    Ints all, got(static_cast<std::size_t>(length), -1), expected;
    for (int i = 0; me == root && i < n * length; ++i) all.push_back(value(job, root, i));
    for (int i = 0; i < length; ++i) expected.push_back(value(job, root, me * length + i));
    in_place = in_place && me == root;
    EXPECT_MPI_OK(
        MPI_Scatter(all.data(), length, MPI_INT, in_place ? MPI_IN_PLACE : got.data(), length, MPI_INT, root, comm));
    EXPECT_TRUE(in_place || got == expected) << "scatter";
  }

  static void gather(MPI_Comm comm, int job, const Ints& mine, bool in_place) {
    const int n = ranks::count(comm), me = ranks::rank(comm), length = static_cast<int>(mine.size());
    Ints all(mine.size() * static_cast<std::size_t>(n), -1), expected;
    for (int r = 0; r < n; ++r)
      for (int i = 0; i < length; ++i) expected.push_back(value(job, r, i));
    if (in_place) std::copy(mine.begin(), mine.end(), all.begin() + me * length);
    EXPECT_MPI_OK(
        MPI_Allgather(in_place ? MPI_IN_PLACE : mine.data(), length, MPI_INT, all.data(), length, MPI_INT, comm));
    EXPECT_TRUE(all == expected) << "allgather";
  }

  void in_order(MPI_Comm comm, int job, int length, int root, bool everywhere) {
    const int n = ranks::count(comm), me = ranks::rank(comm);
    std::vector<Line> mine, expected, got(static_cast<std::size_t>(length), {-1, -1});
    for (int i = 0; i < length; ++i) {
      mine.push_back({value(job, me, i) | 1, value(job, me, i + 1)});
      Line all{value(job, 0, i) | 1, value(job, 0, i + 1)};
      for (int r = 1; r < n; ++r) all = then(all, {value(job, r, i) | 1, value(job, r, i + 1)});
      expected.push_back(all);
    }
    if (everywhere) {
      EXPECT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), length, line_, chain_, comm));
    } else {
      EXPECT_MPI_OK(MPI_Reduce(mine.data(), got.data(), length, line_, chain_, root, comm));
    }
    EXPECT_TRUE((!everywhere && me != root) || got == expected) << "in order";
  }

  static void with_holes(MPI_Comm comm, int length, int root) {
    const int n = ranks::count(comm), me = ranks::rank(comm);
    std::vector<Pair> mine, got(static_cast<std::size_t>(length), {-1, -1});
    for (int i = 0; i < length; ++i) mine.push_back({static_cast<double>((me + i) % n), me});
    const auto check = [&](const char* what) {
      for (int i = 0; i < length; ++i) {
        const Pair& pair = got[static_cast<std::size_t>(i)];
        ASSERT_EQ(pair.number, n - 1) << what << ' ' << i;
        ASSERT_EQ(pair.where, ((n - 1 - i) % n + n) % n) << what << ' ' << i;
      }
    };
    EXPECT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), length, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
    check("allreduce");
    std::fill(got.begin(), got.end(), Pair{-1, -1});
    EXPECT_MPI_OK(MPI_Reduce(mine.data(), got.data(), length, MPI_DOUBLE_INT, MPI_MAXLOC, root, comm));
    if (me == root) check("reduce");
  }

  // Data that have to be packed.
  static void columns(MPI_Comm comm, int job, int length, int root) {
    const int me = ranks::rank(comm);
    MPI_Datatype column;
    MPI_Type_vector(length, 1, 2, MPI_INT, &column);
    MPI_Type_commit(&column);
    Ints got(static_cast<std::size_t>(2 * length), -1), expected = got;
    for (int i = 0; i < length; ++i) expected[static_cast<std::size_t>(2 * i)] = value(job, root, i);
    if (me == root) got = expected;
    EXPECT_MPI_OK(MPI_Bcast(got.data(), 1, column, root, comm));
    EXPECT_TRUE(got == expected) << "columns";
    MPI_Type_free(&column);
  }

  MPI_Datatype line_ = MPI_DATATYPE_NULL;
  MPI_Op chain_ = MPI_OP_NULL;
};

TEST_F(SeveralNodes, AnyRanksInAnyOrder) {
  auto random = ranks::shared_random(41);
  auto own = ranks::own_random(42);
  for (int round = 0; round < 18; ++round) {
    MPI_Comm comm = some_ranks(random);
    ranks::Random same(random());  // drawn from by members only
    if (comm == MPI_COMM_NULL) continue;
    name_algorithms(comm, round % 3);
    for (int job = 0; job < 40; ++job) {
      if (ranks::pick(own, 0, 60) == 0) usleep(static_cast<useconds_t>(ranks::pick(own, 0, 2000)));
      run_one(comm, 100 * round + job, same, job % 8 == 7 ? 20'000 : 4000);
      if (HasFailure()) break;
    }
    EXPECT_MPI_OK(MPI_Comm_free(&comm));
  }
}

// Vectors of several halls.
TEST_F(SeveralNodes, LongVectors) {
  for (int which = 0; which < 3; ++which) {
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    name_algorithms(comm, which);
    for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
    auto random = ranks::shared_random(43);
    for (int job = 0; job < 20; ++job) run_one(comm, job, random, 150'001);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}

TEST_F(SeveralNodes, ManyCommunicatorsInTurn) {
  auto random = ranks::shared_random(44);
  std::vector<MPI_Comm> comms;
  for (int i = 0; i < 6; ++i) comms.push_back(some_ranks(random));
  std::vector<ranks::Random> same;
  for (int i = 0; i < 6; ++i) same.emplace_back(random());
  for (int job = 0; job < 240; ++job) {
    const auto i = static_cast<std::size_t>(ranks::pick(random, 0, 5));
    if (comms[i] != MPI_COMM_NULL) run_one(comms[i], job, same[i], 3000);
    if (HasFailure()) break;
  }
  for (MPI_Comm& comm : comms) {
    if (comm == MPI_COMM_NULL) continue;
    EXPECT_MPI_OK(MPI_Comm_free(&comm));
  }
}

// All get the same bits, and the same as in place.
TEST_F(SeveralNodes, AllGetTheSameBits) {
  const int n = ranks::count(), me = ranks::rank();
  constexpr int length = 700;
  auto own = ranks::own_random(45);
  for (int which = 0; which < 3; ++which) {
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    name_algorithms(comm, which);
    for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
    std::vector<double> mine, got(length), again;
    for (int i = 0; i < length; ++i)
      mine.push_back(std::ldexp(ranks::pick(own, -1000, 1000) + 0.1, ranks::pick(own, -30, 30)));
    for (const int count : {1, 20, length}) {
      ASSERT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      again = got;
      ASSERT_MPI_OK(MPI_Bcast(again.data(), count, MPI_DOUBLE, n - 1, comm));
      EXPECT_EQ(again, got) << "of rank " << n - 1 << " and " << me;
      again = mine;
      ASSERT_MPI_OK(MPI_Allreduce(MPI_IN_PLACE, again.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      again.resize(static_cast<std::size_t>(count)), got.resize(static_cast<std::size_t>(count));
      EXPECT_EQ(again, got) << "in place";
      got.resize(length);
    }
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}

bool memory_is_allowed() {
  const char* const setting = getenv("COW_COLL_MEMORY");
  return !ranks::foreign() && !(setting && std::string(setting) == "no");
}

// A piece where a node has several ranks, none where a rank is alone; and none anywhere where one node cannot have it.
TEST_F(SeveralNodes, MemoryOnEveryNodeOrNowhere) {
  const bool alone = ranks_here() == 1;
  for (const bool possible : {true, false}) {
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    rlimit limit{}, low{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
    low = limit;
    low.rlim_cur = 4096;
    const bool lowered = !possible && ranks::rank() == 0;
    if (lowered) {
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
    }
    const int before = pieces_mapped();
    for (int i = 0; i < 20; ++i) EXPECT_MPI_OK(MPI_Barrier(comm));
    if (lowered) {
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    EXPECT_EQ(pieces_mapped(), before + (possible && !alone && memory_is_allowed())) << possible;
    auto random = ranks::shared_random(46);
    for (int job = 0; job < 30; ++job) run_one(comm, job, random, 20'000);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    EXPECT_EQ(pieces_mapped(), before);
  }
}

}  // namespace
