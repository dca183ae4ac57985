#include "launcher/placement/layout_placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace cow::launch {
namespace {

Layout layout_of(const char* text) {
  Layout out;
  EXPECT_EQ(Layout::parse(text, out), "");
  return out;
}

std::vector<std::uint32_t> consecutive(const std::vector<std::uint32_t>& counts) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t host = 0; host < counts.size(); ++host) out.insert(out.end(), counts[host], host);
  return out;
}

std::uint64_t links(const char* text, const std::vector<std::uint32_t>& counts, bool by_layout) {
  const Layout layout = layout_of(text);
  return links_between(layout, by_layout ? place_by_layout(layout, counts).host_of_rank : consecutive(counts));
}

TEST(LayoutPlacement, HostsGetSquaresOfAMesh) {
  const std::vector<std::uint32_t> hosts(16, 16);
  EXPECT_EQ(links("mesh:16x16", hosts, false), 15u * 16u);
  EXPECT_EQ(links("mesh:16x16", hosts, true), 6u * 16u);
}

TEST(LayoutPlacement, HostsGetCubesOfATorus) {
  const std::vector<std::uint32_t> hosts(64, 8);
  EXPECT_EQ(links("torus:8x8x8", hosts, false), 2u * 8u * 64u);
  EXPECT_EQ(links("torus:8x8x8", hosts, true), 3u * 4u * 64u);
}

TEST(LayoutPlacement, NeverHasMoreLinksBetweenHostsThanConsecutiveRanks) {
  for (const char* text :
       {"mesh:3x5", "torus:4x4", "torus:3x3x3", "hypercube:5", "ring:13", "mesh:7x1x3", "torus:2x2x2"}) {
    const auto size = static_cast<std::uint32_t>(layout_of(text).size());
    for (std::uint32_t width = 1; width <= size; ++width) {
      std::vector<std::uint32_t> counts(size / width, width);
      if (size % width) counts.push_back(size % width);
      EXPECT_LE(links(text, counts, true), links(text, counts, false)) << text << " " << width;
    }
  }
}

TEST(LayoutPlacement, EachHostGetsItsCountAndEachSlotOneRank) {
  for (const char* text : {"torus:4x3x2", "ring:24", "switch:24"}) {
    const std::vector<std::uint32_t> counts{5, 0, 7, 12};
    const LayoutPlacement placed = place_by_layout(layout_of(text), counts);
    std::vector<std::set<std::uint32_t>> slots(4);
    for (std::size_t rank = 0; rank < 24; ++rank) slots[placed.host_of_rank[rank]].insert(placed.slot_of_rank[rank]);
    for (std::size_t host = 0; host < 4; ++host) {
      EXPECT_EQ(slots[host].size(), counts[host]);
      for (const std::uint32_t slot : slots[host]) EXPECT_LT(slot, counts[host]);
    }
  }
}

// On one host of 16: the ranks of each half, and each quarter, of its slots are squares and not rows.
TEST(LayoutPlacement, NeighboursHaveNearSlots) {
  const Layout layout = layout_of("mesh:4x4");
  const LayoutPlacement placed = place_by_layout(layout, {16});
  std::vector<std::uint32_t> quarter(16);
  for (std::size_t rank = 0; rank < 16; ++rank) quarter[rank] = placed.slot_of_rank[rank] / 4;
  EXPECT_EQ(links_between(layout, quarter), 8u);
  EXPECT_EQ(links_between(layout, consecutive({4, 4, 4, 4})), 12u);
}

}  // namespace
}  // namespace cow::launch
