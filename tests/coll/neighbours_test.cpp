// Halo exchanges along the wires, on imagined machines.
#include <gtest/gtest.h>

#include "coll/examine/links.hpp"

namespace cow::coll {
namespace {

LinkReport halo_exchange(const char* text, Count bytes) {
  Layout layout;
  EXPECT_EQ(Layout::parse(text, layout), "");
  const Algorithm* const direct = find_algorithm(Collective::neighbor_alltoall, "direct");
  const Outcome outcome = examine({direct, layout.size(), bytes, 0, false, true, &layout}, true);
  EXPECT_EQ(outcome.wrong, "") << text;
  return route(outcome, Wires(layout), Model{});
}

TEST(Neighbours, AHaloExchangeUsesEachLinkOfATorusOnce) {
  for (const char* text : {"torus:8x8", "torus:4x4x4", "ring:9", "hypercube:5"}) {
    const LinkReport r = halo_exchange(text, 64);
    Layout layout;
    ASSERT_EQ(Layout::parse(text, layout), "");
    ASSERT_EQ(r.rounds.size(), 1u) << text;
    EXPECT_EQ(r.rounds[0].hops, 1) << text;
    EXPECT_EQ(r.rounds[0].link_messages, 1) << text;
    EXPECT_EQ(r.rounds[0].messages, layout.links()) << text;
  }
}

TEST(Neighbours, AMeshHasNobodyBeyondItsBorders) {
  const LinkReport r = halo_exchange("mesh:4x5", 64);
  ASSERT_EQ(r.rounds.size(), 1u);
  EXPECT_EQ(r.rounds[0].messages, 2 * (3 * 5 + 4 * 4));
  EXPECT_EQ(r.rounds[0].link_messages, 1);
}

// Two ranks around exchange both messages over one link, each with itself none.
TEST(Neighbours, ShortDimensions) {
  EXPECT_EQ(halo_exchange("torus:2x4", 64).link_messages, 2);
  EXPECT_EQ(halo_exchange("torus:1x4", 64).rounds[0].messages, 8);
}

}  // namespace
}  // namespace cow::coll
