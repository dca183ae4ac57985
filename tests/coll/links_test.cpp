// Claims about hops and link loads, computed.
#include "coll/examine/links.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "coll/algorithms/allreduce/dimension_exchange.hpp"

namespace cow::coll {
namespace {

Layout layout(const std::string& text) {
  Layout out;
  EXPECT_EQ(Layout::parse(text, out), "");
  return out;
}

LinkReport report(Collective collective, const char* name, const Layout& wires, Count count) {
  const Algorithm* algorithm = find_algorithm(collective, name);
  EXPECT_NE(algorithm, nullptr) << name;
  if (!algorithm) return {};
  const Case c{algorithm, wires.size(), count, 0, false, true, &wires};
  const Outcome outcome = measure(c);
  EXPECT_EQ(outcome.wrong, "");
  return route(outcome, Wires(wires), Model{});
}

TEST(Links, DoublingOnAHypercubeUsesEachLinkOnce) {
  const LinkReport r = report(Collective::allreduce, "doubling", layout("hypercube:10"), 1);
  EXPECT_EQ(r.rounds.size(), 10u);
  for (const RoundLoad& round : r.rounds) {
    EXPECT_EQ(round.hops, 1);
    EXPECT_EQ(round.link_messages, 1);
  }
}

TEST(Links, DoublingOnARingLoadsALinkWithTwoToTheStep) {
  for (const int p : {8, 64, 1024}) {
    const LinkReport r = report(Collective::allreduce, "doubling", layout("ring:" + std::to_string(p)), 1);
    for (size_t s = 0; s < r.rounds.size(); ++s)
      EXPECT_EQ(r.rounds[s].link_messages, 1 << s) << p << " ranks, step " << s;
  }
}

TEST(Links, DimensionExchangeOnAHypercubeUsesEveryLinkOnceInEachStep) {
  const Layout cube = layout("hypercube:10");
  const LinkReport r = report(Collective::allreduce, "dimension_exchange", cube, 10 * 1024);
  EXPECT_EQ(r.rounds.size(), 20u);
  for (const RoundLoad& round : r.rounds) {
    EXPECT_EQ(round.hops, 1);
    EXPECT_EQ(round.link_messages, 1);
    EXPECT_EQ(round.messages, cube.links());
  }
}

// Partners are reckoned in every call: as many times as there are messages, not as there are ranks.
TEST(Links, AButterflyIsSetUpInAFewSteps) {
  struct Counting {
    RotatedDimensions pattern;
    int* calls;
    int operator()(int colour, int step, int rank) const { return ++*calls, pattern(colour, step, rank); }
    bool lower(int colour, int step, int rank) const { return ++*calls, pattern.lower(colour, step, rank); }
  };
  int calls = 0;
  Butterfly(16, 16, 12345, Counting{{16}, &calls});
  EXPECT_LE(calls, 2 * 16 * 16);
}

// For `ctest -L long`, as all sizes are.
TEST(Links, LargeHypercubes) {
  if (!std::getenv("COW_TEST_ALL_SIZES")) GTEST_SKIP() << "thousands of ranks take their time";
  const Layout cube = layout("hypercube:12");
  const LinkReport r = report(Collective::allreduce, "dimension_exchange", cube, 12 * 4096);
  EXPECT_EQ(r.rounds.size(), 24u);
  EXPECT_EQ(r.dilation, 1);
  EXPECT_EQ(r.link_messages, 1);
  EXPECT_EQ(report(Collective::bcast, "binomial", layout("hypercube:16"), 1).rounds.size(), 16u);
}

TEST(Links, BucketOnATorusUsesAllSixDirectionsAtOnce) {
  const Layout torus = layout("torus:8x8x8");
  const LinkReport r = report(Collective::allreduce, "bucket", torus, 6 * 512);
  EXPECT_EQ(r.rounds.size(), 2u * 3 * 7);
  for (const RoundLoad& round : r.rounds) {
    EXPECT_EQ(round.hops, 1);
    EXPECT_EQ(round.link_messages, 1);
    EXPECT_EQ(round.messages, torus.links());  // every directed link
  }
  // Everything together: 2 (p - 1)/p of the vector from each rank, spread evenly over its six links.
  EXPECT_EQ(r.busiest_total, 2 * 511);
}

int rho(int s) {
  int sum = 0;
  for (int i = 0, power = 1; i <= s; ++i, power *= -2) sum += power;
  return sum;
}

TEST(Links, SwingOnARingLoadsALinkWithHalfItsDistance) {
  for (const int p : {8, 64, 1024}) {
    const LinkReport r = report(Collective::allreduce, "swing_short", layout("ring:" + std::to_string(p)), 1);
    ASSERT_EQ(1 << r.rounds.size(), p);
    for (size_t s = 0; s < r.rounds.size(); ++s) {
      const int distance = std::abs(rho(static_cast<int>(s)));
      const RoundLoad& round = r.rounds[r.rounds.size() - 1 - s];  // the last step is taken first
      EXPECT_EQ(round.link_messages, (distance + 1) / 2) << p << " ranks, step " << s;
      EXPECT_EQ(round.hops, distance);
    }
  }
}

TEST(Links, SwingOnATorusMovesLessThanDoublingAndHalving) {
  for (const char* text : {"torus:8x8", "torus:4x4x4", "ring:64"}) {
    const LinkReport swing = report(Collective::allreduce, "swing", layout(text), 6 * 64 * 16);
    const LinkReport halving = report(Collective::allreduce, "rabenseifner", layout(text), 6 * 64 * 16);
    EXPECT_LT(swing.busiest_total, halving.busiest_total) << text;
  }
}

TEST(Links, BineTreeMovesAsItsHeadSays) {
  for (const int p : {8, 64, 1024}) {
    const Layout ring = layout("ring:" + std::to_string(p));
    const LinkReport bine = report(Collective::bcast, "bine", ring, 1);
    const LinkReport binomial = report(Collective::bcast, "binomial", ring, 1);
    const int s = static_cast<int>(bine.rounds.size());
    ASSERT_EQ(1 << s, p);
    Count travelled = 0, expected = 0, by_binomial = 0;
    for (int i = 0; i < s; ++i) {
      const int m = s - i;
      EXPECT_EQ(bine.rounds[static_cast<size_t>(i)].hops, std::abs(rho(m - 1))) << p << " ranks, step " << i;
      EXPECT_EQ(std::abs(rho(m - 1)), ((1 << m) - (m % 2 == 0 ? 1 : -1)) / 3);
      EXPECT_EQ(bine.rounds[static_cast<size_t>(i)].messages, 1 << i);
      expected += (Count{1} << i) * std::abs(rho(m - 1));
    }
    for (Count bytes : bine.link_totals) travelled += bytes;
    for (Count bytes : binomial.link_totals) by_binomial += bytes;
    EXPECT_EQ(travelled, expected);
    EXPECT_EQ(by_binomial, Count{s} << (s - 1));
    EXPECT_LT(3 * travelled, Count{9} * by_binomial / 4 + p);  // about two thirds to three quarters
  }
}

TEST(Links, SpanningTreesShareNoLink) {
  const Layout cube = layout("hypercube:6");
  const LinkReport r = report(Collective::bcast, "spanning_trees", cube, 6 * 4096 * 10);
  EXPECT_EQ(r.dilation, 1);
  EXPECT_EQ(r.link_messages, 1);
  EXPECT_EQ(r.busiest_total, 4096 * 10);  // a sixth of the message: every link belongs to one tree only
}

// Bine's butterfly: its allreduce goes out and back by the same distances, each loading a ring as Swing does.
TEST(Links, BineButterflyOnARingLoadsALinkWithHalfItsDistance) {
  for (const int p : {8, 64, 1024}) {
    const LinkReport r = report(Collective::allreduce, "bine", layout("ring:" + std::to_string(p)), p);
    const size_t half = r.rounds.size() / 2;
    ASSERT_EQ(1 << half, p);
    for (size_t s = 0; s < half; ++s) {
      const int distance = std::abs(rho(static_cast<int>(s)));
      for (const RoundLoad& round : {r.rounds[s], r.rounds[2 * half - 1 - s]}) {
        EXPECT_EQ(round.hops, distance) << p << " ranks, step " << s;
        EXPECT_EQ(round.link_messages, (distance + 1) / 2) << p << " ranks, step " << s;
        EXPECT_EQ(round.bytes, p >> (s + 1));
      }
    }
  }
}

// Trees of a torus: every tree reaches everybody but the root once; neighbours only; and in the long run each of the
// root's links carries its tree's part, so that no link carries more.
TEST(Links, TorusTreesShareNoLink) {
  struct {
    const char* text;
    int trees;
    size_t depth;
  } const expected[] = {{"ring:5", 2, 4},       {"torus:5x5", 4, 9},   {"torus:3x7", 4, 9},   {"torus:4x4x4", 6, 10},
                        {"torus:8x8x8", 6, 22}, {"torus:4x2x3", 3, 7}, {"torus:2x2x2", 3, 4}, {"torus:3x3x3x3", 8, 9}};
  for (const auto& e : expected) {
    const Layout torus = layout(e.text);
    for (const char* collective : {"bcast", "reduce"}) {
      const bool down = collective[0] == 'b';
      const LinkReport r =
          report(down ? Collective::bcast : Collective::reduce, "torus_trees", torus, Count{e.trees} * 100);
      EXPECT_EQ(r.dilation, 1) << e.text;
      EXPECT_EQ(r.link_messages, 1) << e.text;
      EXPECT_EQ(r.busiest_total, 100) << e.text << ": the part of one tree";
      EXPECT_EQ(r.rounds.size(), e.depth) << e.text;
      int messages = 0;
      for (const RoundLoad& round : r.rounds) messages += round.messages;
      EXPECT_EQ(messages, e.trees * (torus.size() - 1)) << e.text;
    }
    // In many packets every link of a long broadcast works nearly all the time.
    const LinkReport many = report(Collective::bcast, "torus_trees", torus, Count{e.trees} << 20);
    EXPECT_EQ(many.link_messages, 1) << e.text;
    EXPECT_EQ(many.busiest_total, 1 << 20) << e.text;
  }
}

TEST(Links, BucketCollectsAndScattersInAllDirectionsAtOnce) {
  for (const char* text : {"torus:8x8x8", "torus:5x5", "ring:9"}) {
    const Layout torus = layout(text);
    for (const Collective collective : {Collective::allgather, Collective::reduce_scatter_block}) {
      const LinkReport r = report(collective, "bucket", torus, 12);
      size_t steps = 0;
      for (int d = 0; d < torus.dimensions(); ++d) steps += static_cast<size_t>(torus.extent(d)) - 1;
      EXPECT_EQ(r.rounds.size(), steps) << text;
      for (const RoundLoad& round : r.rounds) {
        EXPECT_EQ(round.hops, 1) << text;
        EXPECT_EQ(round.link_messages, 1) << text;
        EXPECT_EQ(round.messages, torus.links()) << text;
      }
      EXPECT_EQ(r.busiest_total, Count{12} * (torus.size() - 1) / (2 * torus.dimensions())) << text;
    }
  }
}

TEST(Links, RingOnARingTalksToNeighboursOnly) {
  const LinkReport r = report(Collective::allreduce, "ring", layout("ring:12"), 24);
  EXPECT_EQ(r.dilation, 1);
  EXPECT_EQ(r.link_messages, 1);
  EXPECT_EQ(r.rounds.size(), 22u);
}

// In two levels, each node's bytes cross the network once; the costs follow.
TEST(Links, NodesSendEachByteOnce) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t r = 0; r < 32; ++r) ids.push_back(r / 8);
  const Nodes nodes(ids);
  const Wires wires(std::nullopt, nodes);
  const auto total = [&](Collective collective, const char* name, Count count) {
    const Algorithm* const a = find_algorithm(collective, name);
    const Case c{a, 32, count, 0, false, true, nullptr, &nodes};
    return route(measure(c), wires, Model{});
  };
  EXPECT_EQ(total(Collective::allreduce, "hierarchical", 1000).busiest_total, 2 * 1000);  // doubling: two steps
  EXPECT_EQ(total(Collective::allreduce, "hierarchical_split", 1600).busiest_total, 2 * 1600 * 3 / 4);
  EXPECT_EQ(total(Collective::allgather, "hierarchical_ring", 1000).busiest_total, 3 * 8 * 1000);
  EXPECT_EQ(total(Collective::allgather, "hierarchical", 1000).busiest_total, 3 * 8 * 1000);
  EXPECT_EQ(total(Collective::bcast, "hierarchical", 1000).link_messages, 1);
  EXPECT_EQ(total(Collective::allreduce, "doubling", 1000).link_messages, 8);
}

TEST(Links, CostsOfNodesPredictWhatTheExaminerSees) {
  Model model;
  model.gamma = model.copy = 0;
  std::vector<std::uint32_t> ids;
  for (std::uint32_t r = 0; r < 32; ++r) ids.push_back(r / 8);
  const std::optional<Nodes> nodes{Nodes(ids)};
  const Wires wires(std::nullopt, nodes);
  Patterns patterns{wires};
  for (const Algorithm& a : algorithms()) {
    const bool known = a.collective == Collective::barrier || a.collective == Collective::bcast ||
                       a.collective == Collective::reduce || a.collective == Collective::allreduce ||
                       a.collective == Collective::allgather;
    if (!known || !a.valid({32, 0, true, nullptr, &*nodes})) continue;
    if (std::string(a.name) == "chain") continue;  // taken as if the pipeline were full all the time
    for (const Count count : {32, 32 * 64}) {
      const double predicted = predicted_time(a, {32, count, true, nullptr, &*nodes}, model, &patterns);
      const double seen = route(measure({&a, 32, count, 0, false, true, nullptr, &*nodes}), wires, model).time;
      EXPECT_LE(predicted, 1.7 * seen + 1) << name_of(a.collective) << ' ' << a.name << ' ' << count;
      EXPECT_GE(predicted, 0.6 * seen - 1) << name_of(a.collective) << ' ' << a.name << ' ' << count;
    }
  }
}

// The cost functions against what the examiner sees: on each layout, at sizes where blocks are equal.
TEST(Links, CostFunctionsPredictWhatTheExaminerSees) {
  Model model;
  model.gamma = model.copy = 0;
  for (const char* text :
       {"switch:8", "switch:16", "ring:8", "ring:16", "torus:4x4", "hypercube:4", "mesh:4x4", "switch:12"}) {
    const Layout wires = layout(text);
    Patterns patterns{Wires(wires)};
    for (const Algorithm& a : algorithms()) {
      if (!a.valid({wires.size(), 0, true, &wires})) continue;
      for (const Count count : {16, 16 * 64}) {
        if (a.collective == Collective::gatherv || a.collective == Collective::scatterv ||
            a.collective == Collective::alltoallv || a.collective == Collective::allgatherv ||
            a.collective == Collective::reduce_scatter)
          continue;  // uneven blocks
        const Outcome outcome = examine({&a, wires.size(), count, 0, false, true, &wires}, true);
        const bool whole = a.collective == Collective::reduce_scatter_block;
        const double predicted =
            predicted_time(a, {wires.size(), whole ? count * wires.size() : count, true, &wires}, model, &patterns);
        const double seen = route(outcome, Wires(wires), model).time;
        EXPECT_LE(predicted, 1.7 * seen + 1) << name_of(a.collective) << ' ' << a.name << ' ' << text << ' ' << count;
        EXPECT_GE(predicted, 0.6 * seen - 1) << name_of(a.collective) << ' ' << a.name << ' ' << text << ' ' << count;
      }
    }
  }
}

}  // namespace
}  // namespace cow::coll
