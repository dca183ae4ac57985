// The collectives that compute: all predefined operations and types, roots, in place, and operations of the user's own,
// against a fold over all ranks' contributions in rank order.
#include <cstdint>

#include "coll/reference.hpp"

namespace {

using reference::contribution;

template <class T>
MPI_Datatype mpi_type();
template <>
MPI_Datatype mpi_type<signed char>() {
  return MPI_SIGNED_CHAR;
}
template <>
MPI_Datatype mpi_type<unsigned char>() {
  return MPI_UNSIGNED_CHAR;
}
template <>
MPI_Datatype mpi_type<short>() {
  return MPI_SHORT;
}
template <>
MPI_Datatype mpi_type<unsigned short>() {
  return MPI_UNSIGNED_SHORT;
}
template <>
MPI_Datatype mpi_type<int>() {
  return MPI_INT;
}
template <>
MPI_Datatype mpi_type<unsigned>() {
  return MPI_UNSIGNED;
}
template <>
MPI_Datatype mpi_type<long>() {
  return MPI_LONG;
}
template <>
MPI_Datatype mpi_type<unsigned long>() {
  return MPI_UNSIGNED_LONG;
}
template <>
MPI_Datatype mpi_type<long long>() {
  return MPI_LONG_LONG;
}
template <>
MPI_Datatype mpi_type<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype mpi_type<double>() {
  return MPI_DOUBLE;
}
template <>
MPI_Datatype mpi_type<long double>() {
  return MPI_LONG_DOUBLE;
}

template <class T>
struct Operation {
  MPI_Op op;
  const char* name;
  T (*apply)(T, T);
};

template <class T>
std::vector<Operation<T>> operations() {
  std::vector<Operation<T>> all = {
      {MPI_SUM, "SUM", [](T a, T b) { return static_cast<T>(a + b); }},
      {MPI_PROD, "PROD", [](T a, T b) { return static_cast<T>(a * b); }},
      {MPI_MAX, "MAX", [](T a, T b) { return std::max(a, b); }},
      {MPI_MIN, "MIN", [](T a, T b) { return std::min(a, b); }},
  };
  if constexpr (std::is_integral_v<T>) {
    all.push_back({MPI_BAND, "BAND", [](T a, T b) { return static_cast<T>(a & b); }});
    all.push_back({MPI_BOR, "BOR", [](T a, T b) { return static_cast<T>(a | b); }});
    all.push_back({MPI_BXOR, "BXOR", [](T a, T b) { return static_cast<T>(a ^ b); }});
    all.push_back({MPI_LAND, "LAND", [](T a, T b) { return static_cast<T>(a && b); }});
    all.push_back({MPI_LOR, "LOR", [](T a, T b) { return static_cast<T>(a || b); }});
    all.push_back({MPI_LXOR, "LXOR", [](T a, T b) { return static_cast<T>(!a != !b); }});
  }
  return all;
}

// The operation over ranks [first, last), element by element.
template <class T>
std::vector<T> fold(const Operation<T>& operation, std::uint64_t key, int first, int last, int count) {
  std::vector<T> result = contribution<T>(key, first, count);
  for (int rank = first + 1; rank < last; ++rank) {
    const std::vector<T> next = contribution<T>(key, rank, count);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = operation.apply(result[i], next[i]);
  }
  return result;
}

template <class T>
class Reductions : public testing::Test {
 protected:
  using Values = std::vector<T>;
  int me = ranks::rank(), n = ranks::count();
  MPI_Datatype type = mpi_type<T>();

  // Runs `body(operation, count, key, in_place, random)` for every operation with a few random counts.
  template <class Body>
  void each(std::uint64_t salt, Body body) {
    auto random = ranks::shared_random(salt);
    std::uint64_t key = salt * 1'000;
    for (const Operation<T>& operation : operations<T>())
      for (int round = 0; round < 3; ++round) {
        const int count = reference::pick_count(random, round < 2 ? 300 : operation.op == MPI_SUM ? 20'000 : 2'000);
        const bool in_place = ranks::pick(random, 0, 1) == 1;
        SCOPED_TRACE(std::string(operation.name) + ", count " + std::to_string(count) + (in_place ? ", in place" : ""));
        body(operation, count, ++key, in_place, random);
        if (testing::Test::HasFatalFailure()) return;
      }
  }
  const void* source(bool in_place, const Values& out) { return in_place ? MPI_IN_PLACE : out.data(); }
};

using Types = testing::Types<signed char, unsigned char, short, unsigned short, int, unsigned, long, unsigned long,
                             long long, float, double, long double>;
TYPED_TEST_SUITE(Reductions, Types);

TYPED_TEST(Reductions, Allreduce) {
  this->each(1, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto&) {
    const auto out = contribution<TypeParam>(key, this->me, count);
    auto in = in_place ? out : std::vector<TypeParam>(out.size());
    ASSERT_MPI_OK(
        MPI_Allreduce(this->source(in_place, out), in.data(), count, this->type, operation.op, MPI_COMM_WORLD));
    ASSERT_EQ(in, fold(operation, key, 0, this->n, count));
  });
}

TYPED_TEST(Reductions, Reduce) {
  this->each(2, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto& random) {
    const int root = ranks::pick(random, 0, this->n - 1);
    const bool at_root = this->me == root;
    in_place = in_place && at_root && !ranks::foreign();  // MPICH 4.0 crashes for long messages and a root other than 0
    const auto out = contribution<TypeParam>(key, this->me, count);
    auto in = out;
    ASSERT_MPI_OK(
        MPI_Reduce(this->source(in_place, out), in.data(), count, this->type, operation.op, root, MPI_COMM_WORLD));
    ASSERT_EQ(in, at_root ? fold(operation, key, 0, this->n, count) : out) << "root " << root;
  });
}

TYPED_TEST(Reductions, Scan) {
  this->each(3, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto&) {
    const auto out = contribution<TypeParam>(key, this->me, count);
    auto in = in_place ? out : std::vector<TypeParam>(out.size());
    ASSERT_MPI_OK(MPI_Scan(this->source(in_place, out), in.data(), count, this->type, operation.op, MPI_COMM_WORLD));
    ASSERT_EQ(in, fold(operation, key, 0, this->me + 1, count));
  });
}

TYPED_TEST(Reductions, Exscan) {
  this->each(4, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto&) {
    const auto out = contribution<TypeParam>(key, this->me, count);
    auto in = in_place ? out : std::vector<TypeParam>(out.size());
    ASSERT_MPI_OK(MPI_Exscan(this->source(in_place, out), in.data(), count, this->type, operation.op, MPI_COMM_WORLD));
    if (this->me > 0) {  // undefined at rank 0
      ASSERT_EQ(in, fold(operation, key, 0, this->me, count));
    }
  });
}

TYPED_TEST(Reductions, ReduceScatterBlock) {
  this->each(5, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto&) {
    const auto out = contribution<TypeParam>(key, this->me, count * this->n);
    auto in = in_place ? out : std::vector<TypeParam>(static_cast<std::size_t>(count));
    ASSERT_MPI_OK(MPI_Reduce_scatter_block(this->source(in_place, out), in.data(), count, this->type, operation.op,
                                           MPI_COMM_WORLD));
    const auto whole = fold(operation, key, 0, this->n, count * this->n);
    in.resize(static_cast<std::size_t>(count));
    ASSERT_EQ(in, std::vector<TypeParam>(whole.begin() + this->me * count, whole.begin() + (this->me + 1) * count));
  });
}

TYPED_TEST(Reductions, ReduceScatter) {
  this->each(6, [&](auto& operation, int count, std::uint64_t key, bool in_place, auto& random) {
    const reference::Blocks blocks(random, this->n, count + 1);
    const int total = std::accumulate(blocks.counts.begin(), blocks.counts.end(), 0);
    const int start = std::accumulate(blocks.counts.begin(), blocks.counts.begin() + this->me, 0);
    const int mine = blocks.count(this->me);
    const auto out = contribution<TypeParam>(key, this->me, total);
    auto in = in_place ? out : std::vector<TypeParam>(static_cast<std::size_t>(mine));
    ASSERT_MPI_OK(MPI_Reduce_scatter(this->source(in_place, out), in.data(), blocks.counts.data(), this->type,
                                     operation.op, MPI_COMM_WORLD));
    const auto whole = fold(operation, key, 0, this->n, total);
    in.resize(static_cast<std::size_t>(mine));
    ASSERT_EQ(in, std::vector<TypeParam>(whole.begin() + start, whole.begin() + start + mine));
  });
}

// a(x) = m x + c, composed: associative and not commutative, so that the order of the ranks shows.
struct Affine {
  unsigned m, c;
  bool operator==(const Affine&) const = default;
};

void compose(void* in, void* inout, int* length, MPI_Datatype*) {
  const auto* first = static_cast<const Affine*>(in);
  auto* second = static_cast<Affine*>(inout);
  for (int i = 0; i < *length; ++i) second[i] = {first[i].m * second[i].m, first[i].c * second[i].m + second[i].c};
}

class UserOperation : public testing::Test {
 protected:
  // Pairs of a number type would need a derived type; unsigned long has room for both halves.
  static_assert(sizeof(Affine) == sizeof(unsigned long));
  void SetUp() override { ASSERT_MPI_OK(MPI_Op_create(compose, 0, &op)); }
  void TearDown() override { ASSERT_MPI_OK(MPI_Op_free(&op)); }

  std::vector<Affine> mine(int rank, int count) {
    std::vector<Affine> all;
    for (int i = 0; i < count; ++i)
      all.push_back({static_cast<unsigned>(2 * rank + 3), static_cast<unsigned>(i + rank)});
    return all;
  }
  std::vector<Affine> expected(int last, int count) {
    std::vector<Affine> all = mine(0, count);
    for (int rank = 1; rank < last; ++rank) {
      std::vector<Affine> next = mine(rank, count);
      compose(all.data(), next.data(), &count, nullptr);
      all = next;
    }
    return all;
  }
  MPI_Op op = MPI_OP_NULL;
  int me = ranks::rank(), n = ranks::count();
};

TEST_F(UserOperation, KeepsTheOrderOfTheRanks) {
  for (const int count : {1, 3, 17, 1'000, 9'000}) {
    SCOPED_TRACE("count " + std::to_string(count));
    const auto out = mine(me, count);
    std::vector<Affine> in(out.size());
    ASSERT_MPI_OK(MPI_Allreduce(out.data(), in.data(), count, MPI_UNSIGNED_LONG, op, MPI_COMM_WORLD));
    ASSERT_EQ(in, expected(n, count));
    for (int root = 0; root < n; ++root) {
      ASSERT_MPI_OK(MPI_Reduce(out.data(), in.data(), count, MPI_UNSIGNED_LONG, op, root, MPI_COMM_WORLD));
      if (me == root) {
        ASSERT_EQ(in, expected(n, count)) << "root " << root;
      }
    }
    ASSERT_MPI_OK(MPI_Scan(out.data(), in.data(), count, MPI_UNSIGNED_LONG, op, MPI_COMM_WORLD));
    ASSERT_EQ(in, expected(me + 1, count));
    ASSERT_MPI_OK(MPI_Exscan(out.data(), in.data(), count, MPI_UNSIGNED_LONG, op, MPI_COMM_WORLD));
    if (me > 0) {
      ASSERT_EQ(in, expected(me, count));
    }
  }
}

// MPI_MAXLOC names the lowest rank among equals.
TEST(PairOperations, MaxlocAndMinloc) {
  struct Pair {
    double value;
    int index;
  };
  const int me = ranks::rank(), n = ranks::count();
  const Pair out{static_cast<double>(me / 2), me};
  Pair in{};
  ASSERT_MPI_OK(MPI_Allreduce(&out, &in, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD));
  EXPECT_EQ(in.value, (n - 1) / 2);
  EXPECT_EQ(in.index, (n - 1) / 2 * 2);
  ASSERT_MPI_OK(MPI_Allreduce(&out, &in, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD));
  EXPECT_EQ(in.value, 0);
  EXPECT_EQ(in.index, 0);
}

// A sum of floating-point numbers in any order has one result on all ranks, bit by bit.
TEST(FloatingPoint, SameBitsOnAllRanks) {
  auto random = ranks::own_random(9);
  const int n = ranks::count();
  for (const int count : {1, 100, 5'000}) {
    std::vector<double> out(static_cast<std::size_t>(count)), in(out.size());
    for (double& value : out) value = std::uniform_real_distribution<double>(-1e10, 1e10)(random);
    ASSERT_MPI_OK(MPI_Allreduce(out.data(), in.data(), count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
    std::vector<double> all(in.size() * static_cast<std::size_t>(n));
    ASSERT_MPI_OK(MPI_Allgather(in.data(), count, MPI_DOUBLE, all.data(), count, MPI_DOUBLE, MPI_COMM_WORLD));
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], in[i % in.size()]) << "element " << i;
  }
}

}  // namespace
