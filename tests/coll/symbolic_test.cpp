// Every algorithm on imagined machines of many sizes: each rank must end with exactly the right contributions.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "coll/examine/machine.hpp"

namespace cow::coll {
namespace {

// The sanitizers make it ten times slower; they look at the library's memory, not at the algorithms.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool few_sizes = true;
#else
constexpr bool few_sizes = false;
#endif

// All sizes and layouts are for `ctest -L long`; the quick run takes a sample of them.
bool all_sizes() { return std::getenv("COW_TEST_ALL_SIZES") != nullptr; }

std::vector<int> sizes() {
  std::vector<int> out;
  for (int p = 1; p <= (few_sizes ? 12 : all_sizes() ? 64 : 20); ++p) out.push_back(p);
  if (few_sizes) return out;
  if (all_sizes())
    out.insert(out.end(), {100, 127, 128, 255, 256});
  else
    out.insert(out.end(), {27, 31, 32, 33, 48, 63, 64, 100});
  return out;
}

std::vector<std::string> layouts() {
  std::vector<std::string> out{"ring:6",      "ring:8",      "mesh:4x3",    "torus:4x4", "torus:3x5", "torus:4x2x3",
                               "torus:3x3x3", "hypercube:1", "hypercube:3", "torus:1x4", "torus:8x2", "torus:2x2"};
  if (few_sizes) return out;
  out.insert(out.end(), {"torus:4x4x4", "hypercube:5", "torus:5x3x2", "torus:7x5"});
  if (!all_sizes()) return out;
  for (int p = 1; p <= 64; ++p) out.push_back("ring:" + std::to_string(p));
  out.insert(out.end(),
             {"torus:5x5x5", "torus:16x16",   "torus:15x17",  "torus:8x8x4", "torus:4x4x4x4", "torus:2x2x2x2",
              "torus:127x1", "torus:3x3x3x3", "torus:5x1x20", "mesh:10x10",  "mesh:16x16",    "hypercube:0",
              "hypercube:2", "hypercube:4",   "hypercube:6",  "hypercube:7", "hypercube:8",   "ring:100",
              "ring:127",    "ring:128",      "ring:255",     "ring:256"});
  return out;
}

bool has_root(Collective c) {
  return c == Collective::bcast || c == Collective::reduce || c == Collective::gather || c == Collective::scatter ||
         c == Collective::gatherv || c == Collective::scatterv;
}
bool can_be_in_place(Collective c) {
  return c != Collective::barrier && c != Collective::bcast && c != Collective::alltoall &&
         c != Collective::alltoallv && c != Collective::neighbor_allgather && c != Collective::neighbor_alltoall;
}

// Lengths that leave blocks empty, equal and unequal; short where every rank has a block for every other.
std::set<Count> counts(const Algorithm& a, int p) {
  if (a.collective == Collective::barrier) return {0};
  const bool whole_vector =
      a.collective == Collective::bcast || a.collective == Collective::reduce || a.collective == Collective::allreduce;
  if (whole_vector) return p <= 64 ? std::set<Count>{0, 1, 3, 2 * p + 1} : std::set<Count>{1, p + 3};
  return p <= 64 ? std::set<Count>{0, 1, 3} : std::set<Count>{1};
}

std::set<int> roots(const Algorithm& a, int p) {
  if (!has_root(a.collective)) return {0};
  return {0, 1 % p, p / 2, p - 1};
}

void check(const Case& c) {
  const Outcome outcome = examine(c);
  EXPECT_EQ(outcome.wrong, "") << name_of(c.algorithm->collective) << ' ' << c.algorithm->name << ", " << c.size
                               << " ranks, count " << c.count << ", root " << c.root << (c.in_place ? ", in place" : "")
                               << (c.commutative ? "" : ", not commutative")
                               << (c.layout ? ", on " + c.layout->name() : "")
                               << (c.nodes ? ", " + std::to_string(c.nodes->count()) + " nodes" : "");
}

void check_all_forms(const Algorithm& a, int p, const Layout* layout, const Nodes* nodes = nullptr) {
  for (const bool commutative : {true, false}) {
    if (!commutative && !reduces(a.collective)) continue;
    if (!a.valid({p, 0, commutative, layout, nodes})) continue;
    for (const bool in_place : {false, true}) {
      if (in_place && !can_be_in_place(a.collective)) continue;
      for (const int root : roots(a, p))
        for (const Count count : counts(a, p)) {
          check({&a, p, count, root, in_place, commutative, layout, nodes});
          if (testing::Test::HasFailure()) return;
        }
    }
  }
}

class Symbolic : public testing::TestWithParam<const Algorithm*> {};

TEST_P(Symbolic, EveryRankEndsWithTheRightContributions) {
  for (const int p : sizes()) check_all_forms(*GetParam(), p, nullptr);
}

TEST_P(Symbolic, OverEveryLayout) {
  for (const std::string& text : layouts()) {
    Layout layout;
    ASSERT_EQ(Layout::parse(text, layout), "");
    check_all_forms(*GetParam(), layout.size(), &layout);
  }
}

// Ranks on nodes: so many on each in order, around the nodes in turn, or any.
std::vector<Nodes> placements(int p) {
  std::vector<Nodes> out;
  std::vector<std::uint32_t> in_order, in_turn, any;
  for (int k : {2, 3, 5, 8}) {
    if (k >= p) continue;
    in_order.clear(), in_turn.clear(), any.clear();
    const auto nodes = static_cast<std::uint32_t>(k);
    for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(p); ++r) {
      in_order.push_back(r * nodes / static_cast<std::uint32_t>(p));
      in_turn.push_back(r % nodes);
      any.push_back((r * r + r / 3) % nodes);
    }
    for (const auto& ids : {in_order, in_turn, any}) out.emplace_back(ids);
  }
  return out;
}

TEST_P(Symbolic, OverNodes) {
  const Algorithm& a = *GetParam();
  for (const int p : sizes()) {
    for (const Nodes& nodes : placements(p)) {
      // Algorithms that do not look at nodes have been checked already.
      const bool looks = a.valid({p, 0, true, nullptr, &nodes}) && !a.valid({p, 0, true, nullptr});
      if (looks) check_all_forms(a, p, nullptr, &nodes);
    }
  }
}

std::vector<const Algorithm*> all() {
  std::vector<const Algorithm*> out;
  for (const Algorithm& a : algorithms())
    if (!a.on_memory) out.push_back(&a);  // those are for shm/ways_test.cpp
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Symbolic, testing::ValuesIn(all()), [](const auto& instance) {
  return std::string(name_of(instance.param->collective)) + "_" + instance.param->name;
});

TEST(Registry, NamesAreUniqueAndEveryCollectiveHasAnAlgorithmThatAlwaysApplies) {
  std::set<std::pair<Collective, std::string>> names;
  for (const Algorithm& a : algorithms()) EXPECT_TRUE(names.insert({a.collective, a.name}).second) << a.name;
  for (int i = 0; i < collectives; ++i)
    for (const int p : sizes())
      for (const bool commutative : {true, false}) {
        bool some = false;
        for (const Algorithm& a : algorithms())
          some = some || (a.collective == static_cast<Collective>(i) && a.valid({p, 0, commutative, nullptr}));
        EXPECT_TRUE(some) << name_of(static_cast<Collective>(i)) << ' ' << p;
      }
}

}  // namespace
}  // namespace cow::coll
