// Nonblocking collectives inside a node, which after the first few of a communicator go by shared memory, one after the other:
// many at once, of all kinds and lengths, among blocking and persistent ones, with ranks that come late.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "support/ranks.hpp"

namespace {

using Ints = std::vector<int>;

int value(int job, int rank, int i) {
  return static_cast<int>(static_cast<unsigned>(job) * 7919U + static_cast<unsigned>(rank) * 104729U +
                          static_cast<unsigned>(i) * 31U + 5U);
}

enum Kind { barrier, bcast, reduce, allreduce, gather, allgather, scatter, alltoall, scan, exscan, kinds };

// One collective under way, and what its rank must end with; on blocks of `length` ints.
struct Job {
  int number, kind, root, length, me, size;
  Ints in, out, expected;
  MPI_Request request = MPI_REQUEST_NULL;

  std::size_t all() const { return static_cast<std::size_t>(length) * static_cast<std::size_t>(size); }
  std::size_t one() const { return static_cast<std::size_t>(length); }
  int sum(int ranks_below, int i) const {
    unsigned out_value = 0;
    for (int r = 0; r < ranks_below; ++r) out_value ^= static_cast<unsigned>(value(number, r, i));
    return static_cast<int>(out_value);
  }
  void fill() {
    const bool blocks = kind == scatter || kind == alltoall,
               gathers = kind == gather || kind == allgather || kind == alltoall;
    for (std::size_t i = 0; i < (blocks ? all() : one()); ++i) in.push_back(value(number, me, static_cast<int>(i)));
    out.assign(gathers ? all() : one(), -1);
    if (kind == bcast && me == root) out = in;
    expected = out;
    for (std::size_t i = 0; i < out.size(); ++i) expect(i);
  }
  void expect(std::size_t i) {
    const int at = static_cast<int>(i) % std::max(length, 1), from = static_cast<int>(i) / std::max(length, 1);
    int& it = expected[i];
    if (kind == bcast) it = value(number, root, at);
    if (kind == allreduce || (kind == reduce && me == root)) it = sum(size, at);
    if (kind == scan) it = sum(me + 1, at);
    if (kind == exscan && me > 0) it = sum(me, at);
    if (kind == allgather || (kind == gather && me == root)) it = value(number, from, at);
    if (kind == scatter) it = value(number, root, me * length + at);
    if (kind == alltoall) it = value(number, from, me * length + at);
  }
  int begin(MPI_Comm comm) {
    switch (kind) {
      case barrier: return MPI_Ibarrier(comm, &request);
      case bcast: return MPI_Ibcast(out.data(), length, MPI_INT, root, comm, &request);
      case reduce: return MPI_Ireduce(in.data(), out.data(), length, MPI_INT, MPI_BXOR, root, comm, &request);
      case allreduce: return MPI_Iallreduce(in.data(), out.data(), length, MPI_INT, MPI_BXOR, comm, &request);
      case gather: return MPI_Igather(in.data(), length, MPI_INT, out.data(), length, MPI_INT, root, comm, &request);
      case allgather: return MPI_Iallgather(in.data(), length, MPI_INT, out.data(), length, MPI_INT, comm, &request);
      case scatter: return MPI_Iscatter(in.data(), length, MPI_INT, out.data(), length, MPI_INT, root, comm, &request);
      case alltoall: return MPI_Ialltoall(in.data(), length, MPI_INT, out.data(), length, MPI_INT, comm, &request);
      case scan: return MPI_Iscan(in.data(), out.data(), length, MPI_INT, MPI_BXOR, comm, &request);
      default: return MPI_Iexscan(in.data(), out.data(), length, MPI_INT, MPI_BXOR, comm, &request);
    }
  }
};

void wait_for_all(std::vector<std::unique_ptr<Job>>& jobs, ranks::Random& own) {
  std::shuffle(jobs.begin(), jobs.end(), own);
  for (auto& job : jobs) {
    ASSERT_MPI_OK(MPI_Wait(&job->request, MPI_STATUS_IGNORE));
    ASSERT_EQ(job->out, job->expected) << "kind " << job->kind << ", length " << job->length << ", job " << job->number;
  }
  jobs.clear();
}

// What is waited for in another order than begun, which differs between the ranks.
TEST(NonblockingOnMemory, ManyOfAllKindsAtOnce) {
  const int n = ranks::count(), me = ranks::rank();
  auto random = ranks::shared_random(41);
  auto own = ranks::own_random(42);
  MPI_Comm comms[2];
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comms[0]));
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, 0, n - me, &comms[1]));
  MPI_Request persistent;
  int sum = 0;
  ASSERT_MPI_OK(MPI_Allreduce_init(&me, &sum, 1, MPI_INT, MPI_SUM, comms[0], MPI_INFO_NULL, &persistent));
  std::vector<std::unique_ptr<Job>> jobs;
  for (int number = 0; number < 500; ++number) {
    const MPI_Comm comm = comms[ranks::pick(random, 0, 1)];
    const int lengths[] = {0, 1, 2, ranks::pick(random, 3, 100), 600, 2000, 9000};
    const int kind = ranks::pick(random, 0, kinds - 1), root = ranks::pick(random, 0, n - 1);
    const int length = lengths[ranks::pick(random, 0, ranks::pick(random, 0, 9) ? 3 : 6)];
    jobs.push_back(std::make_unique<Job>(Job{number, kind, root, length, ranks::rank(comm), n, {}, {}, {}}));
    jobs.back()->fill();
    if (ranks::pick(own, 0, 60) == 0) usleep(static_cast<useconds_t>(ranks::pick(own, 0, 2000)));
    ASSERT_MPI_OK(jobs.back()->begin(comm));
    if (number % 40 == 0) {
      int blocking = 0;
      ASSERT_MPI_OK(MPI_Start(&persistent));
      ASSERT_MPI_OK(MPI_Allreduce(&me, &blocking, 1, MPI_INT, MPI_SUM, comm));
      ASSERT_MPI_OK(MPI_Wait(&persistent, MPI_STATUS_IGNORE));
      EXPECT_EQ(blocking, n * (n - 1) / 2);
      EXPECT_EQ(sum, n * (n - 1) / 2);
    }
    if (ranks::pick(random, 0, 30) == 0) wait_for_all(jobs, own);
    if (testing::Test::HasFatalFailure()) return;
  }
  wait_for_all(jobs, own);
  ASSERT_MPI_OK(MPI_Request_free(&persistent));
  for (MPI_Comm& comm : comms) ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Of persistent ones, too, which are started and waited for in an order of its own at each rank; many of them.
TEST(NonblockingOnMemory, PersistentOnesInAnyOrder) {
  const int n = ranks::count(), me = ranks::rank();
  constexpr int many = 24;
  auto own = ranks::own_random(43);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  Ints in(many), sums(many), tokens(many), order(many);
  std::vector<MPI_Request> requests(many);
  for (int i = 0; i < many; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_MPI_OK(
        i % 2 ? MPI_Bcast_init(&tokens[at], 1, MPI_INT, i % n, comm, MPI_INFO_NULL, &requests[at])
              : MPI_Allreduce_init(&in[at], &sums[at], 1, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL, &requests[at]));
  }
  std::iota(order.begin(), order.end(), 0);
  for (int turn = 0; turn < 40; ++turn) {
    std::shuffle(order.begin(), order.end(), own);
    for (const int i : order) {
      const auto at = static_cast<std::size_t>(i);
      in[at] = me * turn + i, tokens[at] = me == i % n ? turn * i : -1;
      ASSERT_MPI_OK(MPI_Start(&requests[at]));
    }
    std::shuffle(order.begin(), order.end(), own);
    for (const int i : order) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_MPI_OK(MPI_Wait(&requests[at], MPI_STATUS_IGNORE));
      ASSERT_EQ(i % 2 ? tokens[at] : sums[at], i % 2 ? turn * i : turn * n * (n - 1) / 2 + n * i)
          << i << " in turn " << turn;
    }
  }
  for (MPI_Request& request : requests) ASSERT_MPI_OK(MPI_Request_free(&request));
  // One that is never started, and freed before its memory is there.
  MPI_Request unused;
  ASSERT_MPI_OK(MPI_Barrier_init(comm, MPI_INFO_NULL, &unused));
  ASSERT_MPI_OK(MPI_Request_free(&unused));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Hints make a communicator choose anew, while some are under way.
TEST(NonblockingOnMemory, HintsAmongThem) {
  const int n = ranks::count(), me = ranks::rank();
  MPI_Comm comm;
  MPI_Info info;
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  ASSERT_MPI_OK(MPI_Info_create(&info));
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_assert_no_any_tag", "true"));
  for (int turn = 0; turn < 4; ++turn) {
    Ints sums(40, 0);
    std::vector<MPI_Request> requests(sums.size());
    if (me == turn % n) usleep(3000);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (i == 20) {
        ASSERT_MPI_OK(MPI_Comm_set_info(comm, info));
      }
      ASSERT_MPI_OK(MPI_Iallreduce(&me, &sums[i], 1, MPI_INT, MPI_SUM, comm, &requests[i]));
    }
    ASSERT_MPI_OK(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE));
    EXPECT_EQ(sums, Ints(40, n * (n - 1) / 2));
  }
  ASSERT_MPI_OK(MPI_Info_free(&info));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

// Everybody sleeps by the time that the last one comes, in turn.
TEST(NonblockingOnMemory, WhoSleepsIsWoken) {
  const int n = ranks::count(), me = ranks::rank();
  for (int late = 0; late < 2 * std::min(n, 4); ++late) {
    MPI_Request request;
    int sum = 0;
    if (me == late % n) usleep(30'000);
    const double start = MPI_Wtime();
    ASSERT_MPI_OK(MPI_Iallreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(sum, n * (n - 1) / 2);
    EXPECT_LT(MPI_Wtime() - start, 0.8);  // a sleep that nobody ends lasts a second
  }
}

}  // namespace
