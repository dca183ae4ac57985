// Mapping graphs to imagined machines: always a permutation, never dearer than leaving everybody where he is, and on
// grids as good as the best known blocks.
#include "topo/mapping.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "topo/graph.hpp"

namespace cow::topo {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool few = true;  // they make it ten times slower, and look at the memory, not at the mappings
#else
constexpr bool few = false;
#endif

std::vector<int> numbers(int n) {
  std::vector<int> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

int product(const Shape& shape) { return std::accumulate(shape.begin(), shape.end(), 1, std::multiplies<>()); }

Edges grid_edges(const Shape& shape, bool periodic) {
  Edges out;
  const int n = product(shape);
  int stride = n;
  for (const int extent : shape) {
    stride /= extent;
    for (int r = 0; r < n; ++r) {
      const int at = r / stride % extent;
      if (at + 1 < extent) out.push_back({r, r + stride, 1});
      if (at + 1 == extent && periodic && extent > 1) out.push_back({r, r - at * stride, 1});
    }
  }
  return out;
}

Edges random_edges(int n, int count, std::mt19937& random) {
  Edges out;
  for (int i = 0; i < count; ++i)
    out.push_back({static_cast<int>(random() % static_cast<unsigned>(n)),
                   static_cast<int>(random() % static_cast<unsigned>(n)), static_cast<std::int64_t>(random() % 10)});
  return out;
}

enum class Placing { blocks, round_robin, shuffled };

// n processes over nodes of `per_node`, not bound inside of them.
Places nodes(int n, int per_node, Placing placing) {
  std::vector<Path> paths(static_cast<std::size_t>(n));
  const int count = (n + per_node - 1) / per_node;
  for (int i = 0; i < n; ++i)
    paths[static_cast<std::size_t>(i)].at[0] = placing == Placing::round_robin ? i % count : i / per_node;
  std::mt19937 random(7);
  if (placing == Placing::shuffled) std::shuffle(paths.begin(), paths.end(), random);
  return Places(paths);
}

// Edges between different nodes.
std::int64_t between_nodes(const Edges& edges, const Places& places, const std::vector<int>& holder) {
  std::int64_t sum = 0;
  for (const Edge& e : edges)
    if (places.distance(holder[static_cast<std::size_t>(e.a)], holder[static_cast<std::size_t>(e.b)]) >= 100)
      sum += e.weight;
  return sum;
}

std::vector<int> checked(const Edges& edges, const Shape& shape, const Places& places) {
  const std::vector<int> holder = map_graph(edges, shape, places);
  std::vector<int> sorted = holder;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, numbers(places.size())) << "a permutation";
  EXPECT_LE(mapping_cost(edges, places, holder), mapping_cost(edges, places, numbers(places.size())));
  EXPECT_EQ(holder, map_graph(edges, shape, places)) << "the same every time";
  return holder;
}

struct GridCase {
  Shape shape;
  bool periodic;
  int per_node;
  std::int64_t best;  // edges between nodes, of the best blocks
};

TEST(Mapping, GridsFallIntoBlocks) {
  for (const GridCase& c : std::initializer_list<GridCase>{{{4, 4}, false, 4, 8},
                                                           {{8, 8}, false, 16, 16},
                                                           {{8, 8}, true, 16, 32},
                                                           {{6, 6}, false, 4, 24},
                                                           {{12, 4}, false, 16, 8},
                                                           {{4, 4, 4}, false, 8, 48},
                                                           {{16}, true, 4, 4},
                                                           {{2, 2, 2, 2}, false, 4, 16}})
    for (const Placing placing : {Placing::blocks, Placing::round_robin, Placing::shuffled}) {
      if (few && product(c.shape) > 40) continue;
      const Edges edges = grid_edges(c.shape, c.periodic);
      const Places places = nodes(product(c.shape), c.per_node, placing);
      const std::vector<int> holder = checked(edges, c.shape, places);
      EXPECT_LE(between_nodes(edges, places, holder), c.best)
          << testing::PrintToString(c.shape) << " on nodes of " << c.per_node;
    }
}

// What `reorder` is for: ranks dealt out to the nodes in turn, or in no order, cost more than blocks.
TEST(Mapping, CostsLessThanTheOrderOfRanks) {
  for (const Shape& shape : {Shape{8, 9}, Shape{12, 10}, Shape{16, 16}, Shape{6, 8, 4}, Shape{7, 9, 5}}) {
    if (few && product(shape) > 100) continue;
    const Edges edges = grid_edges(shape, true);
    for (const int per_node : {6, 16, 20})
      for (const Placing placing : {Placing::round_robin, Placing::shuffled}) {
        const Places places = nodes(product(shape), per_node, placing);
        const auto before = between_nodes(edges, places, numbers(places.size()));
        const auto after = between_nodes(edges, places, checked(edges, shape, places));
        EXPECT_LT(after, before) << testing::PrintToString(shape) << " on nodes of " << per_node;
        if (placing == Placing::shuffled) {
          EXPECT_LT(after * 10, before * 7) << testing::PrintToString(shape) << " on nodes of " << per_node;
        }
      }
  }
}

// Hidden clusters: as many as nodes, their vertices mixed up, with few edges between them.
TEST(Mapping, FindsClusters) {
  std::mt19937 random(5);
  for (const int clusters : {2, 3, 4, 7}) {
    const int per_node = 8, n = clusters * per_node;
    std::vector<int> mixed = numbers(n);
    std::shuffle(mixed.begin(), mixed.end(), random);
    Edges edges;
    for (int c = 0; c < clusters; ++c)
      for (int i = 0; i < per_node; ++i) {
        const auto vertex = [&](int k) { return mixed[static_cast<std::size_t>(c * per_node + k % per_node)]; };
        for (const int step : {1, 2, 3}) edges.push_back({vertex(i), vertex(i + step), 5});
      }
    for (int c = 0; c < clusters; ++c)
      edges.push_back({mixed[static_cast<std::size_t>(c * per_node)],
                       mixed[static_cast<std::size_t>((c + 1) % clusters * per_node + 3)], 1});
    const Places places = nodes(n, per_node, Placing::blocks);
    EXPECT_EQ(between_nodes(edges, places, checked(edges, {n}, places)), clusters);
  }
}

TEST(Mapping, RandomGraphsCostLessThanOneOrderOrAnother) {
  std::mt19937 random(11);
  for (int round = 0; round < (few ? 5 : 30); ++round) {
    const int n = 4 + static_cast<int>(random() % 60);
    const Edges edges = random_edges(n, 2 * n, random);
    const Places places = nodes(n, 1 + static_cast<int>(random() % 9), Placing::shuffled);
    const std::int64_t cost = mapping_cost(edges, places, checked(edges, {n}, places));
    std::vector<int> order = numbers(n);
    for (int i = 0; i < 20; ++i) {
      std::shuffle(order.begin(), order.end(), random);
      EXPECT_LE(cost, mapping_cost(edges, places, order));
    }
  }
}

// Small enough to try all orders.
TEST(Mapping, NearTheBestOfAllOrders) {
  std::mt19937 random(3);
  std::int64_t found = 0, best = 0;
  for (int round = 0; round < 20; ++round) {
    const int n = 7;
    const Edges edges = random_edges(n, 10, random);
    const Places places = nodes(n, 3, Placing::shuffled);
    std::vector<int> order = numbers(n);
    std::int64_t least = INT64_MAX;
    do least = std::min(least, mapping_cost(edges, places, order));
    while (std::next_permutation(order.begin(), order.end()));
    found += mapping_cost(edges, places, checked(edges, {n}, places));
    best += least;
  }
  EXPECT_LE(found * 100, best * 105);
}

TEST(Mapping, InsideANodeToo) {
  // One node of two packages with four cores each; ranks dealt out in turn, bound to cores.
  std::vector<Path> paths;
  for (int i = 0; i < 8; ++i) paths.push_back({{0, i % 2, i % 2, i}});
  const Places places(paths);
  const Edges edges = grid_edges({8}, false);
  const std::vector<int> holder = checked(edges, {8}, places);
  EXPECT_EQ(mapping_cost(edges, places, holder), 6 * 2 + 10) << "one edge between the packages";
}

TEST(Mapping, OntoWires) {
  // A grid in another order than the torus that it runs on: neighbours can all be neighbours.
  Layout torus;
  ASSERT_EQ(Layout::parse("torus:8x8", torus), "");
  std::vector<int> positions = numbers(64);
  std::mt19937 random(2);
  std::shuffle(positions.begin(), positions.end(), random);
  const Places places(torus, positions);
  const Edges edges = grid_edges({8, 8}, true);
  EXPECT_EQ(mapping_cost(edges, places, checked(edges, {8, 8}, places)), 128 * 100) << "one hop an edge";
  // As a graph without a shape, and a grid of another shape.
  EXPECT_LT(mapping_cost(edges, places, checked(edges, {64}, places)) * 2, mapping_cost(edges, places, numbers(64)));
  const Edges other = grid_edges({16, 4}, true);
  EXPECT_LT(mapping_cost(other, places, checked(other, {16, 4}, places)) * 2, mapping_cost(other, places, numbers(64)));
}

TEST(Mapping, TurnsDimensions) {
  Layout torus;
  ASSERT_EQ(Layout::parse("torus:4x6x2", torus), "");
  const Places places(torus, numbers(48));
  const Edges edges = grid_edges({6, 2, 4}, true);
  EXPECT_EQ(mapping_cost(edges, places, checked(edges, {6, 2, 4}, places)), static_cast<int>(edges.size()) * 100);
}

TEST(Mapping, NothingToGain) {
  const Edges edges = grid_edges({4, 4}, true);
  EXPECT_EQ(map_graph(edges, {4, 4}, nodes(16, 16, Placing::blocks)), numbers(16)) << "one node";
  EXPECT_EQ(map_graph(edges, {4, 4}, nodes(16, 1, Placing::blocks)), numbers(16)) << "one process a node";
  EXPECT_EQ(map_graph({}, {5}, nodes(5, 2, Placing::shuffled)), numbers(5)) << "no edges";
  EXPECT_EQ(map_graph({}, {0}, nodes(0, 2, Placing::blocks)), numbers(0));
  EXPECT_EQ(map_graph({{0, 0, 3}}, {1}, nodes(1, 2, Placing::blocks)), numbers(1)) << "an edge to itself";
}

TEST(Mapping, ThousandsOfRanks) {
  if (few) GTEST_SKIP() << "too slow";
  const Edges edges = grid_edges({16, 16, 16}, true);
  const Places places = nodes(4096, 64, Placing::round_robin);
  const std::vector<int> holder = map_graph(edges, {16, 16, 16}, places);
  EXPECT_LE(between_nodes(edges, places, holder), 3072 * 11 / 10) << "blocks of 4x4x4 have 3072";
}

}  // namespace
}  // namespace cow::topo
