// Copy plans: the normal form, and the cost of starting anywhere in types too large for any memory.
#include "objects/plan.hpp"

#include <gtest/gtest.h>

#include "objects/constructors.hpp"
#include "objects/predefined.hpp"

namespace cow::test {
namespace {

using Kind = PlanNode::Kind;

class Plans : public testing::Test {
 protected:
  void SetUp() override { register_predefined(); }
  void TearDown() override {
    for (Datatype* type : made_) release(*type);
  }
  Datatype& keep(Error error, Datatype*& type) {
    EXPECT_FALSE(error) << last_failure();
    made_.push_back(type);
    return *type;
  }
  Datatype& contiguous(MPI_Count count, Datatype& old) {
    Datatype* out;
    return keep(make_contiguous(count, old, true, out), out);
  }
  Datatype& hvector(MPI_Count count, MPI_Count block, MPI_Aint stride, Datatype& old) {
    Datatype* out;
    return keep(make_hvector(count, block, stride, old, true, out), out);
  }
  Datatype& hindexed(const std::vector<MPI_Count>& blocks, const std::vector<MPI_Count>& places, Datatype& old) {
    Datatype* out;
    return keep(make_hindexed(blocks, places, old, true, out), out);
  }
  Datatype& resized(MPI_Aint extent, Datatype& old) {
    Datatype* out;
    return keep(make_resized(0, extent, old, true, out), out);
  }
  Datatype& structure(const std::vector<MPI_Count>& places, const std::vector<Datatype*>& types) {
    Datatype* out;
    return keep(make_struct(std::vector<MPI_Count>(types.size(), 1), places, types, true, out), out);
  }
  static const PlanNode& root(Datatype& type) {
    commit(type);
    return type.plan->nodes[0];
  }
  void expect_block(Datatype& type, MPI_Count bytes) {
    EXPECT_EQ(root(type).kind, Kind::block);
    EXPECT_EQ(root(type).bytes, bytes);
  }
  void expect_rows(Datatype& type, MPI_Count count, MPI_Aint stride, MPI_Count block) {
    const PlanNode& node = root(type);
    ASSERT_EQ(node.kind, Kind::loop);
    EXPECT_EQ(node.count, count);
    EXPECT_EQ(node.stride, stride);
    EXPECT_EQ(type.plan->nodes[node.child].kind, Kind::block);
    EXPECT_EQ(type.plan->nodes[node.child].bytes, block);
  }

  Datatype& int_ = (register_predefined(), *find(MPI_INT));
  std::vector<Datatype*> made_;
};

TEST_F(Plans, JoinWhatTouches) {
  expect_block(contiguous(10, int_), 40);
  expect_block(hvector(5, 2, 8, int_), 40);
  expect_block(contiguous(3, hvector(5, 2, 8, int_)), 120);
  expect_block(hindexed({2, 1, 3}, {0, 8, 12}, int_), 24);
  expect_block(structure({0, 4, 8}, {&int_, find(MPI_FLOAT), find(MPI_DOUBLE)}), 16);
  EXPECT_TRUE(contiguous(10, int_).plan == nullptr) << "made by commit only";
}

TEST_F(Plans, SeeVectorsInWhateverTheyWereMadeOf) {
  expect_rows(hvector(6, 2, 16, int_), 6, 16, 8);
  expect_rows(contiguous(6, resized(16, int_)), 6, 16, 4);
  expect_rows(hvector(4, 1, 64, hvector(4, 1, 16, int_)), 16, 16, 4);
  expect_rows(contiguous(3, resized(64, hvector(4, 1, 16, int_))), 12, 16, 4);
  expect_rows(hindexed({1, 1, 1}, {8, 20, 32}, int_), 3, 12, 4);
  expect_rows(hindexed({2, 2, 2}, {32, 16, 0}, int_), 3, -16, 8);
  expect_rows(structure({0, 16, 32}, {&int_, find(MPI_FLOAT), &int_}), 3, 16, 4);
}

TEST_F(Plans, KeepListsOfEqualBlocksShort) {
  Datatype& type = hindexed({1, 1, 1, 1}, {0, 8, 20, 100}, int_);
  EXPECT_EQ(root(type).kind, Kind::narrow_blocks);
  EXPECT_EQ(type.plan->narrow_places, (std::vector<std::int32_t>{0, 8, 20, 100}));
  EXPECT_EQ(root(hindexed({1, 1, 1}, {0, 8, MPI_Count{1} << 40}, int_)).kind, Kind::blocks);
  EXPECT_EQ(root(hindexed({1, 2, 1}, {0, 8, 100}, int_)).kind, Kind::narrow_blocks) << "cut to one size";
  EXPECT_EQ(root(hindexed({1, 200, 1}, {0, 8, 1000}, int_)).kind, Kind::pieces);
}

TEST_F(Plans, OfVeryLargeTypes) {
  const MPI_Count many = MPI_Count{1} << 33;
  Datatype& type = hvector(many, 1, 16, int_);
  commit(type);
  MemoryRun run;
  MPI_Count covered;
  ASSERT_EQ(memory_runs(type, nullptr, 1, 4 * (many - 1) + 1, 100, &run, 1, &covered), 1);
  EXPECT_EQ(run.address, 16u * (many - 1) + 1);
  EXPECT_EQ(covered, 3);
  ASSERT_EQ(memory_runs(type, nullptr, 3, 2 * type.size, 4, &run, 1, &covered), 1);
  EXPECT_EQ(run.address, static_cast<std::uintptr_t>(2 * type.extent));
}

// Two halves at odd places, over and over: a trillion elements from forty types. Anything that looked at all of them,
// at commit or when it starts in the middle, would not end.
TEST_F(Plans, ShareWhatTheyAreMadeOf) {
  Datatype* type = &int_;
  for (int level = 0; level < 40; ++level) type = &structure({0, type->extent + 4}, {type, type});
  EXPECT_EQ(type->size, MPI_Count{4} << 40);
  commit(*type);
  EXPECT_LT(type->plan->nodes.size(), 200u);
  EXPECT_LT(type->plan->pieces.size(), 400u);
  MemoryRun runs[2];
  MPI_Count covered;
  ASSERT_EQ(memory_runs(*type, nullptr, 1, type->size / 2, 8, runs, 2, &covered), 2);
  EXPECT_EQ(runs[0].address, static_cast<std::uintptr_t>((type->extent - 4) / 2 + 4));
  EXPECT_EQ(runs[1].address, runs[0].address + 8);
}

}  // namespace
}  // namespace cow::test
