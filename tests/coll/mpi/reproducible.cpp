// The same bits every time: with cow_reproducible every reduction combines in one order, which depends on the number of
// ranks alone; each algorithm asked for, on every layout and placement, must give the bits that this order gives.
#include <bit>
#include <cmath>
#include <cstring>

#include "coll/select/registry.hpp"
#include "support/ranks.hpp"

namespace {

using cow::coll::Algorithm;
using cow::coll::Collective;
using Doubles = std::vector<double>;

constexpr int length = 300;

// Numbers of very different size, so that every other order of adding them gives other bits.
Doubles contribution(int rank) {
  Doubles out;
  std::mt19937_64 random(static_cast<std::uint64_t>(rank) * 77 + 5);
  for (int i = 0; i < length; ++i) {
    const auto bits = random();
    const double number = std::ldexp(static_cast<double>(bits % 1000003) + 0.1, static_cast<int>(bits >> 40) % 40 - 20);
    out.push_back(bits & 1 << 21 ? -number : number);
  }
  return out;
}

Doubles sum(const Doubles& left, const Doubles& right) {
  Doubles out = left;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = left[i] + right[i];
  return out;
}

// The fixed order, as docs/collectives.md gives it.
Doubles in_fixed_order(int n) {
  const int core = static_cast<int>(std::bit_floor(static_cast<unsigned>(n)));
  std::vector<Doubles> parts;
  for (int r = 0; r < n;) {
    const bool takes_in = r < 2 * (n - core);
    parts.push_back(takes_in ? sum(contribution(r), contribution(r + 1)) : contribution(r));
    r += takes_in ? 2 : 1;
  }
  while (parts.size() > 1) {
    std::vector<Doubles> halves;
    for (std::size_t i = 0; i < parts.size(); i += 2) halves.push_back(sum(parts[i], parts[i + 1]));
    parts = std::move(halves);
  }
  return parts[0];
}

// Prefix sums by doubling, from rank `first` on.
Doubles prefix(int first, int last) {
  std::vector<Doubles> sums;
  for (int r = first; r <= last; ++r) sums.push_back(contribution(r));
  for (std::size_t d = 1; d < sums.size(); d *= 2) {
    std::vector<Doubles> next = sums;
    for (std::size_t i = d; i < sums.size(); ++i) next[i] = sum(sums[i - d], sums[i]);
    sums = std::move(next);
  }
  return sums.back();
}

MPI_Comm comm_with(const std::string& coll, const std::string& layout, bool reproducible) {
  MPI_Info info;
  MPI_Comm comm;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_coll", coll.c_str());
  MPI_Info_set(info, "cow_reproducible", reproducible ? "true" : "false");
  if (!layout.empty()) MPI_Info_set(info, "cow_layout", layout.c_str());
  EXPECT_EQ(MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm), MPI_SUCCESS);
  MPI_Info_free(&info);
  return comm;
}

bool same_bits(const Doubles& a, const Doubles& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

void expect_fixed(Collective which, MPI_Comm comm, int count) {
  const int n = ranks::count(), me = ranks::rank();
  Doubles mine = contribution(me), got(static_cast<std::size_t>(count), 0.0), expected = got;
  const auto cut = [&](Doubles whole, int first = 0) {
    expected.assign(whole.begin() + first, whole.begin() + first + count);
  };
  switch (which) {
    case Collective::allreduce:
      cut(in_fixed_order(n));
      ASSERT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      break;
    case Collective::reduce:
      if (me == n / 2) cut(in_fixed_order(n));
      ASSERT_MPI_OK(MPI_Reduce(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, n / 2, comm));
      break;
    case Collective::scan:
      cut(prefix(0, me));
      ASSERT_MPI_OK(MPI_Scan(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      break;
    case Collective::exscan:
      if (me > 0) {
        // Every vector moves one rank up before the doubling begins.
        cut(prefix(0, me - 1));
      }
      ASSERT_MPI_OK(MPI_Exscan(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      if (me == 0) got = expected;  // undefined
      break;
    case Collective::reduce_scatter_block:
    case Collective::reduce_scatter: {
      count /= n;
      got.resize(static_cast<std::size_t>(count));
      cut(in_fixed_order(n), me * count);
      const std::vector<int> counts(static_cast<std::size_t>(n), count);
      if (which == Collective::reduce_scatter) {
        ASSERT_MPI_OK(MPI_Reduce_scatter(mine.data(), got.data(), counts.data(), MPI_DOUBLE, MPI_SUM, comm));
      } else {
        ASSERT_MPI_OK(MPI_Reduce_scatter_block(mine.data(), got.data(), count, MPI_DOUBLE, MPI_SUM, comm));
      }
      break;
    }
    default: break;
  }
  EXPECT_TRUE(same_bits(got, expected));
}

std::vector<std::string> layouts(int n) {
  std::vector<std::string> out{"", "ring:" + std::to_string(n)};
  if (n == 4) out.insert(out.end(), {"torus:2x2", "hypercube:2"});
  if (n == 6) out.push_back("torus:2x3");
  if (n == 8) out.insert(out.end(), {"torus:4x2", "hypercube:3"});
  return out;
}

TEST(Reproducible, EveryReductionWhateverAlgorithmIsAskedFor) {
  for (const Algorithm& a : cow::coll::algorithms()) {
    if (!reduces(a.collective)) continue;
    for (const std::string& layout : layouts(ranks::count())) {
      const std::string forced = std::string(name_of(a.collective)) + "=" + a.name;
      SCOPED_TRACE(forced + " on " + layout);
      MPI_Comm comm = comm_with(forced, layout, true);
      for (const int count : {1, 17, length}) expect_fixed(a.collective, comm, count);
      MPI_Comm_free(&comm);
    }
  }
}

// Where nothing is asked for, what the ranks of a node share is used, after a few collectives.
TEST(Reproducible, OnMemory) {
  MPI_Comm comm = comm_with("", "", true);
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  for (const Collective which : {Collective::allreduce, Collective::reduce, Collective::scan, Collective::exscan,
                                 Collective::reduce_scatter, Collective::reduce_scatter_block})
    for (const int count : {1, 17, length}) {
      SCOPED_TRACE(std::string(name_of(which)) + " of " + std::to_string(count));
      expect_fixed(which, comm, count);
    }
  MPI_Comm_free(&comm);
}

// Longer than the halls of the board, in several pieces.
TEST(Reproducible, LongVectorsOnMemory) {
  constexpr int many = 150'001;
  MPI_Comm comm = comm_with("", "", true);
  for (int i = 0; i < 10; ++i) ASSERT_MPI_OK(MPI_Barrier(comm));
  const int n = ranks::count(), me = ranks::rank();
  const auto repeated = [&](const Doubles& part) {
    Doubles out;
    for (int i = 0; i < many; ++i) out.push_back(part[static_cast<std::size_t>(i % length)]);
    return out;
  };
  const Doubles mine = repeated(contribution(me)), expected = repeated(in_fixed_order(n));
  Doubles got(many, 0.0);
  ASSERT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), many, MPI_DOUBLE, MPI_SUM, comm));
  EXPECT_TRUE(same_bits(got, expected));
  got = mine;
  ASSERT_MPI_OK(MPI_Allreduce(MPI_IN_PLACE, got.data(), many, MPI_DOUBLE, MPI_SUM, comm));
  EXPECT_TRUE(same_bits(got, expected)) << "in place";
  got = mine;
  ASSERT_MPI_OK(
      MPI_Reduce(me == n / 2 ? MPI_IN_PLACE : got.data(), got.data(), many, MPI_DOUBLE, MPI_SUM, n / 2, comm));
  EXPECT_TRUE(same_bits(got, me == n / 2 ? expected : mine)) << "reduce";
  const int block = many / n;
  got.assign(static_cast<std::size_t>(block), 0.0);
  ASSERT_MPI_OK(MPI_Reduce_scatter_block(mine.data(), got.data(), block, MPI_DOUBLE, MPI_SUM, comm));
  EXPECT_TRUE(same_bits(got, Doubles(expected.begin() + me * block, expected.begin() + (me + 1) * block)))
      << "reduce_scatter";
  MPI_Comm_free(&comm);
}

// At any other root, number of elements and form.
TEST(Reproducible, ReduceAtEveryRootInEveryForm) {
  MPI_Comm comm = comm_with("", "", true);
  const int n = ranks::count(), me = ranks::rank();
  const Doubles mine = contribution(me), expected = in_fixed_order(n);
  for (int root = 0; root < n; ++root) {
    Doubles got(length);
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Ireduce(mine.data(), got.data(), length, MPI_DOUBLE, MPI_SUM, root, comm, &request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    if (me == root) {
      EXPECT_TRUE(same_bits(got, expected));
    }
    got = mine;
    ASSERT_MPI_OK(
        MPI_Allreduce_init(MPI_IN_PLACE, got.data(), length, MPI_DOUBLE, MPI_SUM, comm, MPI_INFO_NULL, &request));
    ASSERT_MPI_OK(MPI_Start(&request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    ASSERT_MPI_OK(MPI_Request_free(&request));
    EXPECT_TRUE(same_bits(got, expected));
  }
  MPI_Comm_free(&comm);
}

// Without asking, an allreduce still gives all ranks the same bits, even of zeros and numbers that are none.
TEST(Reproducible, AllRanksAgreeAnyway) {
  const int n = ranks::count(), me = ranks::rank();
  for (const Algorithm& a : cow::coll::algorithms()) {
    if (a.collective != Collective::allreduce) continue;
    for (const std::string& layout : layouts(n)) {
      SCOPED_TRACE(std::string(a.name) + " on " + layout);
      MPI_Comm comm = comm_with(std::string("allreduce=") + a.name, layout, false);
      for (const MPI_Op op : {MPI_SUM, MPI_MAX, MPI_MIN}) {
        Doubles mine = contribution(me), got(length), of_first;
        for (std::size_t i = 0; i < length; i += 3) mine[i] = me % 2 == 0 ? 0.0 : -0.0;
        const auto strange = std::uint64_t{0x7ff8} << 48 | static_cast<std::uint64_t>(me + 1);
        for (std::size_t i = 1; i < length; i += 3) mine[i] = std::bit_cast<double>(strange);
        ASSERT_MPI_OK(MPI_Allreduce(mine.data(), got.data(), length, MPI_DOUBLE, op, comm));
        of_first = got;
        ASSERT_MPI_OK(MPI_Bcast(of_first.data(), length, MPI_DOUBLE, 0, MPI_COMM_WORLD));
        EXPECT_TRUE(same_bits(got, of_first));
      }
      MPI_Comm_free(&comm);
    }
  }
}

TEST(Reproducible, TheKeyIsTrueOrFalse) {
  MPI_Info info;
  MPI_Comm comm;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_reproducible", "maybe");
  ASSERT_MPI_OK(MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm));
  MPI_Info_free(&info);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  EXPECT_NE(MPI_Barrier(comm), MPI_SUCCESS);
  MPI_Comm_free(&comm);
}

}  // namespace
