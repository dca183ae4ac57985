// The layout that a Cartesian topology stands for.
#include <gtest/gtest.h>

#include "coll/select/find_layout.hpp"

namespace cow::coll {
namespace {

std::string name(const std::vector<int>& dims, const std::vector<bool>& periods) {
  const std::optional<Layout> layout = layout_of(CartTopology(dims, periods, 0));
  return layout ? layout->name() : "";
}

TEST(LayoutOf, PeriodicIsATorusAndElseAMesh) {
  EXPECT_EQ(name({4, 3}, {true, true}), "torus:4x3");
  EXPECT_EQ(name({4, 3}, {false, false}), "mesh:4x3");
  EXPECT_EQ(name({4, 3, 5}, {true, false, true}), "mesh:4x3x5") << "mixed: the links that are there in any case";
  EXPECT_EQ(name({8}, {true}), "ring:8");
  EXPECT_EQ(name({8}, {false}), "mesh:8");
}

TEST(LayoutOf, DimensionsOfOneDoNotCount) {
  EXPECT_EQ(name({1, 4, 1, 3}, {false, true, false, true}), "torus:4x3");
  EXPECT_EQ(name({1, 8, 1}, {false, true, false}), "ring:8");
  EXPECT_EQ(name({1, 1}, {true, true}), "");
  EXPECT_EQ(name({}, {}), "");
}

TEST(LayoutOf, TwosAreAHypercube) {
  EXPECT_EQ(name({2, 2, 2}, {true, false, true}), "hypercube:3");
  EXPECT_EQ(name({2}, {false}), "hypercube:1");
}

// The ranks of both are numbered alike: a step along a dimension is one link.
TEST(LayoutOf, RanksStandWhereTheGridHasThem) {
  for (const std::vector<int>& dims : {std::vector<int>{4, 3}, {2, 2, 2}, {5, 1, 2}, {7}})
    for (const bool around : {false, true}) {
      const CartTopology cart(dims, std::vector<bool>(dims.size(), around), 0);
      const std::optional<Layout> layout = layout_of(cart);
      ASSERT_TRUE(layout);
      ASSERT_EQ(layout->size(), cart.size());
      for (int r = 0; r < cart.size(); ++r)
        for (int d = 0; d < cart.dimensions(); ++d)
          if (const int next = cart.moved(r, d, 1); next != MPI_PROC_NULL && next != r) {
            EXPECT_EQ(layout->hops(r, next), 1);
          }
    }
}

}  // namespace
}  // namespace cow::coll
