// Claims about hops and link loads, computed.
#include "coll/examine/links.hpp"

#include <gtest/gtest.h>

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
  const Outcome outcome = examine(c, true);
  EXPECT_EQ(outcome.wrong, "");
  return route(outcome, wires, Model{});
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

TEST(Links, RingOnARingTalksToNeighboursOnly) {
  const LinkReport r = report(Collective::allreduce, "ring", layout("ring:12"), 24);
  EXPECT_EQ(r.dilation, 1);
  EXPECT_EQ(r.link_messages, 1);
  EXPECT_EQ(r.rounds.size(), 22u);
}

// The cost functions against what the examiner sees: on each layout, at sizes where blocks are equal.
TEST(Links, CostFunctionsPredictWhatTheExaminerSees) {
  Model model;
  model.gamma = model.copy = 0;
  for (const char* text :
       {"switch:8", "switch:16", "ring:8", "ring:16", "torus:4x4", "hypercube:4", "mesh:4x4", "switch:12"}) {
    const Layout wires = layout(text);
    Patterns patterns(wires);
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
        const double seen = route(outcome, wires, model).time;
        EXPECT_LE(predicted, 1.7 * seen + 1) << name_of(a.collective) << ' ' << a.name << ' ' << text << ' ' << count;
        EXPECT_GE(predicted, 0.6 * seen - 1) << name_of(a.collective) << ' ' << a.name << ' ' << text << ' ' << count;
      }
    }
  }
}

}  // namespace
}  // namespace cow::coll
