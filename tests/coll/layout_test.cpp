#include "base/layout.hpp"

#include <gtest/gtest.h>

namespace cow {
namespace {

Layout layout(const char* text) {
  Layout out;
  EXPECT_EQ(Layout::parse(text, out), "") << text;
  return out;
}

TEST(Layout, ReadsAndNames) {
  for (const char* text : {"ring:8", "mesh:4x3", "torus:4x4x2", "hypercube:5", "switch:12", "switch"})
    EXPECT_EQ(layout(text).name(), text);
  EXPECT_EQ(layout("torus:4x4x2").size(), 32);
  EXPECT_EQ(layout("hypercube:5").size(), 32);
  EXPECT_EQ(layout("hypercube:0").size(), 1);
}

TEST(Layout, RefusesNonsense) {
  Layout out;
  for (const char* text : {"", "rings:4", "ring", "ring:", "ring:0", "ring:4x4", "torus:4x", "torus:x4", "mesh:-1x2",
                           "hypercube:27", "torus:100000x100000", "ring:4 "})
    EXPECT_NE(Layout::parse(text, out), "") << text;
}

TEST(Layout, SaysWhatWouldFit) {
  Layout torus = layout("torus:4x4");
  EXPECT_EQ(torus.fit(16), "");
  EXPECT_EQ(torus.fit(12), "layout torus:4x4 has 16 places for 12 ranks; it would fit: torus:4x3");
  EXPECT_NE(layout("hypercube:3").fit(12).find("hypercube:3 for 8 ranks or hypercube:4 for 16 ranks"),
            std::string::npos);
  Layout any = layout("switch");
  EXPECT_EQ(any.fit(7), "");
  EXPECT_EQ(any.size(), 7);
}

// The way routed is as long as hops() says, over links that join neighbours, and no shorter way exists.
TEST(Layout, RoutesAreShortestWays) {
  for (const char* text : {"ring:7", "ring:8", "mesh:3x4", "torus:3x4x2", "torus:5x5", "hypercube:4", "switch:5"}) {
    const Layout l = layout(text);
    const int n = l.size();
    std::vector<std::vector<int>> distance(static_cast<size_t>(n), std::vector<int>(static_cast<size_t>(n), n));
    for (int a = 0; a < n; ++a) {
      distance[a][a] = 0;
      for (int d = 0; d < l.dimensions(); ++d)
        for (int direction : {1, -1})
          if (l.neighbour(a, d, direction) != a) distance[a][l.neighbour(a, d, direction)] = 1;
      if (l.kind() == Layout::Kind::network_switch)
        for (int b = 0; b < n; ++b) distance[a][b] = a == b ? 0 : 2;
    }
    for (int k = 0; k < n; ++k)
      for (int a = 0; a < n; ++a)
        for (int b = 0; b < n; ++b) distance[a][b] = std::min(distance[a][b], distance[a][k] + distance[k][b]);
    for (int a = 0; a < n; ++a)
      for (int b = 0; b < n; ++b) {
        int hops = 0;
        std::string way;
        l.route(a, b, [&](int link) {
          ++hops;
          ASSERT_LT(link, l.links());
          way += l.link_name(link) + "; ";
        });
        EXPECT_EQ(hops, distance[a][b]) << text << ' ' << a << " to " << b << ": " << way;
        EXPECT_EQ(l.hops(a, b), hops);
      }
  }
}

TEST(Layout, RouteGoesLinkByLink) {
  std::string way;
  const Layout l = layout("torus:3x4");
  l.route(0, 7, [&](int link) { way += l.link_name(link) + "; "; });
  EXPECT_EQ(way, "0 to 4; 4 to 7; ");
}

}  // namespace
}  // namespace cow
