#include "launcher/core/tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cow::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint32_t> tree_of(std::uint32_t nodes, std::uint32_t width) {
  return grow_tree(std::vector<bool>(nodes), width);
}

TEST(Tree, NobodyStartsMoreThanTheWidth) {
  for (const std::uint32_t width : {1u, 2u, 3u, 8u, 32u}) {
    for (const std::uint32_t nodes : {1u, 2u, 5u, 32u, 33u, 100u, 1000u}) {
      const std::vector<std::uint32_t> parents = tree_of(nodes, width);
      std::vector<std::uint32_t> children(nodes + 1);
      for (std::uint32_t node = 0; node < nodes; ++node) {
        const std::uint32_t parent = parents[node];
        ASSERT_TRUE(parent == no_node || parent < node);
        ++children[parent == no_node ? nodes : parent];
      }
      EXPECT_LE(*std::max_element(children.begin(), children.end()), width);
    }
  }
}

TEST(Tree, GrowsInDepthWithTheLogarithm) {
  EXPECT_EQ(depth_of(tree_of(32, 32)), 1u);
  EXPECT_EQ(depth_of(tree_of(33, 32)), 2u);
  EXPECT_EQ(depth_of(tree_of(1000, 32)), 2u);
  EXPECT_EQ(depth_of(tree_of(10'000, 32)), 3u);
  EXPECT_EQ(depth_of(tree_of(1000, 8)), 4u);
  EXPECT_EQ(depth_of(tree_of(1000, 0)), 1u);
  EXPECT_EQ(depth_of({}), 0u);
}

TEST(Tree, ThisHostIsALeafOfMpirunAndNotCounted) {
  const std::vector<std::uint32_t> parents = grow_tree({true, false, false, true, false}, 1);
  EXPECT_THAT(parents, ElementsAre(no_node, no_node, 1u, no_node, 2u));
}

TEST(Tree, EachMemberKnowsTheWayDown) {
  const std::vector<std::uint32_t> parents = tree_of(9, 2);  // 0 and 4 below mpirun, 1 and 2 below 0, …
  const Routes root(parents, no_node);
  EXPECT_THAT(root.children(), ElementsAre(0u, 4u));
  for (std::uint32_t node = 0; node < 9; ++node) EXPECT_EQ(root.hop(node), node < 4 ? 0u : 4u);
  EXPECT_THAT(root.below(0), ElementsAre(1u, 2u, 3u));
  const Routes inner(parents, 4);
  EXPECT_THAT(inner.children(), ElementsAre(5u, 7u));
  EXPECT_EQ(inner.hop(6), 5u);
  EXPECT_EQ(inner.hop(0), no_node);
  EXPECT_EQ(inner.hop(4), no_node);
  EXPECT_EQ(inner.hop(1000), no_node);
  EXPECT_THAT(inner.below(8), IsEmpty());
}

}  // namespace
}  // namespace cow::launch
