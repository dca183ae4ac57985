// Where ranks may run, on machines that are only described.
#include "launcher/placement/binding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwloc.h>
#include <unistd.h>

#include <numeric>

namespace cow::launch {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Described {
 public:
  explicit Described(const char* description) {
    hwloc_topology_init(&topology_);
    EXPECT_EQ(hwloc_topology_set_synthetic(topology_, description), 0);
    EXPECT_EQ(hwloc_topology_load(topology_), 0);
    all.resize(static_cast<std::size_t>(hwloc_get_nbobjs_by_type(topology_, HWLOC_OBJ_PU)));
    std::iota(all.begin(), all.end(), 0u);
  }
  ~Described() { hwloc_topology_destroy(topology_); }
  operator hwloc_topology*() const { return topology_; }
  std::vector<Cpus> choose(std::uint32_t count, const BindingPlan& plan) const {
    const Binding out = choose_cpus(topology_, all, count, plan);
    EXPECT_EQ(out.error, "");
    return out.of_rank;
  }
  Cpus all;

 private:
  hwloc_topology_t topology_ = nullptr;
};

// Two sockets with a NUMA node and a cache each, four cores in each, two threads on a core.
constexpr const char* server = "pack:2 [numa] l3:1 core:4 pu:2";
constexpr const char* laptop = "pack:1 core:2 pu:1";

BindingPlan plan(Level map, Level bind) {
  BindingPlan out;
  out.map = map;
  out.bind = bind;
  return out;
}

TEST(Objects, OfEachKind) {
  const Described machine(server);
  EXPECT_EQ(objects_of(machine, machine.all, Level::hwthread).size(), 16u);
  EXPECT_EQ(objects_of(machine, machine.all, Level::core).size(), 8u);
  for (const Level level : {Level::l3, Level::numa, Level::socket}) {
    EXPECT_THAT(objects_of(machine, machine.all, level),
                ElementsAre(Cpus{0, 1, 2, 3, 4, 5, 6, 7}, Cpus{8, 9, 10, 11, 12, 13, 14, 15}));
  }
}

TEST(Objects, ThatAMachineLacksAreThoseOfTheNextKind) {
  EXPECT_THAT(objects_of(Described(laptop), {0, 1}, Level::l3), ElementsAre(Cpus{0, 1}));
}

TEST(Objects, AreLimitedToWhatIsAllowed) {
  const Described machine(server);
  EXPECT_THAT(objects_of(machine, {1, 2, 3, 9}, Level::core), ElementsAre(Cpus{1}, Cpus{2, 3}, Cpus{9}));
  EXPECT_THAT(objects_of(machine, {1, 2, 3, 9}, Level::socket), ElementsAre(Cpus{1, 2, 3}, Cpus{9}));
}

TEST(Binding, NothingUnlessAsked) { EXPECT_THAT(Described(server).choose(3, {}), Each(IsEmpty())); }

TEST(Binding, ConsecutiveCores) {
  EXPECT_THAT(Described(server).choose(3, plan(Level::none, Level::core)),
              ElementsAre(Cpus{0, 1}, Cpus{2, 3}, Cpus{4, 5}));
}

TEST(Binding, MoreRanksThanCoresShareThemInTurn) {
  EXPECT_THAT(Described(laptop).choose(5, plan(Level::core, Level::core)),
              ElementsAre(Cpus{0}, Cpus{1}, Cpus{0}, Cpus{1}, Cpus{0}));
}

TEST(Binding, CoresOfEachSocketInTurn) {
  EXPECT_THAT(Described(server).choose(4, plan(Level::socket, Level::core)),
              ElementsAre(Cpus{0, 1}, Cpus{8, 9}, Cpus{2, 3}, Cpus{10, 11}));
}

TEST(Binding, TheSocketOfEachCore) {
  const auto sets = Described("pack:2 core:2 pu:1").choose(4, plan(Level::core, Level::socket));
  EXPECT_THAT(sets, ElementsAre(Cpus{0, 1}, Cpus{0, 1}, Cpus{2, 3}, Cpus{2, 3}));
}

TEST(Binding, SeveralCoresEach) {
  BindingPlan two = plan(Level::none, Level::core);
  two.width = 2;
  EXPECT_THAT(Described("pack:2 core:4 pu:1").choose(3, two), ElementsAre(Cpus{0, 1}, Cpus{2, 3}, Cpus{4, 5}));
  two.map = Level::socket;
  EXPECT_THAT(Described("pack:2 core:4 pu:1").choose(3, two), ElementsAre(Cpus{0, 1}, Cpus{4, 5}, Cpus{2, 3}));
  two.width = 5;
  const Described machine("pack:2 core:4 pu:1");
  EXPECT_THAT(choose_cpus(machine, machine.all, 1, two).error, HasSubstr("5 times core"));
}

TEST(Binding, SoManyRanksOnEachObject) {
  BindingPlan two = plan(Level::socket, Level::socket);
  two.per_object = 2;
  EXPECT_THAT(Described("pack:2 core:2 pu:1").choose(4, two),
              ElementsAre(Cpus{0, 1}, Cpus{0, 1}, Cpus{2, 3}, Cpus{2, 3}));
}

TEST(Binding, NumbersThatGoRoundTheSockets) {
  BindingPlan cores = plan(Level::core, Level::core);
  cores.rank = Level::socket;
  EXPECT_THAT(Described("pack:2 core:2 pu:1").choose(4, cores), ElementsAre(Cpus{0}, Cpus{2}, Cpus{1}, Cpus{3}));
}

// A cgroup may leave one hardware thread of each core.
TEST(Binding, OneThreadOfEachCoreIsEnough) {
  const Described machine(server);
  const Cpus allowed{1, 3, 5, 7};
  EXPECT_THAT(choose_cpus(machine, allowed, 4, plan(Level::core, Level::core)).of_rank,
              ElementsAre(Cpus{1}, Cpus{3}, Cpus{5}, Cpus{7}));
}

TEST(EqualShares, AreNeverSmallerThanThePart) {
  BindingPlan shares;
  shares.equal_shares = true;
  const Described machine(server);
  for (std::uint32_t count = 1; count <= 8; ++count) {
    const auto sets = machine.choose(count, shares);
    for (const Cpus& set : sets) EXPECT_GE(set.size(), 8 / count * 2) << count;
    Cpus all;
    for (const Cpus& set : sets) all.insert(all.end(), set.begin(), set.end());
    EXPECT_EQ(all, machine.all) << "each CPU belongs to one rank";
  }
  EXPECT_THAT(machine.choose(16, shares)[5], ElementsAre(5));
  EXPECT_THAT(machine.choose(17, shares), Each(IsEmpty()));
}

TEST(Describe, CpusCoresAndSockets) {
  EXPECT_EQ(describe_cpus(Described(server), {0, 1, 2, 3}), "CPUs 0-3 (cores 0-1 of socket 0)");
  EXPECT_EQ(describe_cpus(Described(server), {6, 9}), "CPUs 6,9 (cores 3-4 of sockets 0-1)");
  EXPECT_EQ(describe_cpus(nullptr, {4}), "CPU 4");
}

TEST(ThisMachine, AllowsWhatTheKernelAllows) {
  const Machine machine;
  ASSERT_NE(machine.topology(), nullptr);
  EXPECT_EQ(machine.allowed(), affinity_of(getpid()));
}

}  // namespace
}  // namespace cow::launch
