// Groups against a naive model: a vector of process numbers.
#include "objects/group.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "objects/predefined.hpp"

namespace cow::test {
namespace {

using Model = std::vector<Process>;

struct Owned {
  Group* group;
  explicit Owned(Group* made) : group(made) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { release(*group); }
};

Model members(const Group& group) {
  Model all;
  for (int i = 0; i < group.size(); ++i) all.push_back(group.process(i));
  return all;
}

int find_in(const Model& model, Process process) {
  const auto found = std::find(model.begin(), model.end(), process);
  return found == model.end() ? MPI_UNDEFINED : static_cast<int>(found - model.begin());
}

class Groups : public testing::Test {
 protected:
  void SetUp() override {
    register_predefined();
    this_process = 5;
  }
  void TearDown() override { this_process = 0; }

  // Empty, one, ranges with steps of either sign, and lists.
  Model random_model() {
    Model model;
    const int size = static_cast<int>(random_() % 20);
    if (random_() % 2) {
      const int step = static_cast<int>(random_() % 7) - 3, first = 80;
      for (int i = 0; i < (step == 0 ? std::min(size, 1) : size); ++i) model.push_back(first + i * step);
      return model;
    }
    std::set<Process> seen;
    for (int i = 0; i < size; ++i) {
      const Process process = static_cast<Process>(random_() % (random_() % 5 ? 30 : 100'000));
      if (seen.insert(process).second) model.push_back(process);
    }
    return model;
  }

  std::mt19937 random_{11};
};

TEST_F(Groups, WithAStepTakeNoMemoryPerRank) {
  const Owned identity(make_group(0, 1, 1'000'000)), backwards(make_group(999, -3, 300));
  EXPECT_EQ(identity.group->list_bytes(), 0);
  EXPECT_EQ(backwards.group->list_bytes(), 0);
  EXPECT_EQ(identity.group->rank, 5);
  EXPECT_EQ(backwards.group->rank, MPI_UNDEFINED);
  EXPECT_EQ(backwards.group->process(299), 999 - 3 * 299);
  EXPECT_EQ(backwards.group->rank_of(996), 1);
  EXPECT_EQ(backwards.group->rank_of(997), MPI_UNDEFINED);
  EXPECT_EQ(backwards.group->rank_of(1002), MPI_UNDEFINED);
  Model even;
  for (Process p = 0; p < 1000; p += 2) even.push_back(p);
  const Owned recognised(make_group(std::move(even)));
  EXPECT_EQ(recognised.group->list_bytes(), 0);
  EXPECT_EQ(recognised.group->rank_of(998), 499);
}

TEST_F(Groups, BehaveLikeListsOfProcesses) {
  for (int round = 0; round < 3000; ++round) {
    const Model a = random_model(), b = random_model();
    const Owned ga(make_group(Model(a))), gb(make_group(Model(b)));
    ASSERT_EQ(members(*ga.group), a);
    ASSERT_EQ(ga.group->rank, find_in(a, this_process));
    for (const Process p : {Process{0}, Process{5}, Process{29}, Process{80}, Process{70'000}})
      ASSERT_EQ(ga.group->rank_of(p), find_in(a, p));
    for (const Process p : a) ASSERT_EQ(ga.group->rank_of(p), find_in(a, p));

    Model both = a, common, only_a;
    for (const Process p : b)
      if (find_in(a, p) == MPI_UNDEFINED) both.push_back(p);
    for (const Process p : a) (find_in(b, p) == MPI_UNDEFINED ? only_a : common).push_back(p);
    const Owned united(unite(*ga.group, *gb.group)), shared(intersect(*ga.group, *gb.group));
    const Owned rest(subtract(*ga.group, *gb.group));
    ASSERT_EQ(members(*united.group), both);
    ASSERT_EQ(members(*shared.group), common);
    ASSERT_EQ(members(*rest.group), only_a);

    Model shuffled = a;
    std::shuffle(shuffled.begin(), shuffled.end(), random_);
    const Owned gs(make_group(Model(shuffled)));
    ASSERT_EQ(compare(*ga.group, *gs.group), shuffled == a ? MPI_IDENT : MPI_SIMILAR);
    const bool same_set = std::set<Process>(a.begin(), a.end()) == std::set<Process>(b.begin(), b.end());
    ASSERT_EQ(compare(*ga.group, *gb.group), a == b ? MPI_IDENT : same_set ? MPI_SIMILAR : MPI_UNEQUAL);

    std::vector<int> ranks;
    for (int i = 0; i < static_cast<int>(a.size()); ++i)
      if (random_() % 2) ranks.push_back(i);
    std::shuffle(ranks.begin(), ranks.end(), random_);
    Model picked, left;
    for (const int r : ranks) picked.push_back(a[r]);
    for (int i = 0; i < static_cast<int>(a.size()); ++i)
      if (std::find(ranks.begin(), ranks.end(), i) == ranks.end()) left.push_back(a[i]);
    const Owned included(include(*ga.group, ranks)), excluded(exclude(*ga.group, ranks));
    ASSERT_EQ(members(*included.group), picked);
    ASSERT_EQ(members(*excluded.group), left);

    ranks.push_back(MPI_PROC_NULL);
    std::vector<int> out(ranks.size());
    translate(*ga.group, ranks, *gb.group, out.data());
    for (std::size_t i = 0; i + 1 < ranks.size(); ++i) ASSERT_EQ(out[i], find_in(b, a[ranks[i]]));
    ASSERT_EQ(out.back(), MPI_PROC_NULL);
  }
}

TEST_F(Groups, HandlesAreCounted) {
  Group* group = make_group(3, 2, 4);
  MPI_Group first, second;
  ASSERT_FALSE(give_handle(group, &first));
  ASSERT_FALSE(give_handle(group, &second));
  release(*group);
  EXPECT_EQ(first, second);
  ASSERT_FALSE(free_handle(*find(first)));
  ASSERT_EQ(find(second), group);
  ASSERT_FALSE(free_handle(*group));
  EXPECT_EQ(find(second), nullptr);
}

TEST_F(Groups, WithoutMembersAreTheEmptyGroup) {
  const Owned none(make_group({}));
  MPI_Group handle;
  ASSERT_FALSE(give_handle(none.group, &handle));
  EXPECT_EQ(handle, MPI_GROUP_EMPTY);
  EXPECT_FALSE(free_handle(*find(handle)));
  EXPECT_EQ(find(MPI_GROUP_EMPTY), &empty_group);
}

}  // namespace
}  // namespace cow::test
