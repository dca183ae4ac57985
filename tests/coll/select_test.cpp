#include "coll/select/select.hpp"

#include "coll/on_memory.hpp"
#include "coll/select/machine_file.hpp"

#include <gtest/gtest.h>

namespace cow::coll {
namespace {

TEST(Selection, TakesTheFastestByPrediction) {
  Model model;
  for (const int size : {2, 3, 8, 17, 64}) {
    Selector selector(size, std::nullopt, std::nullopt, model, {});
    for (int c = 0; c < collectives; ++c)
      for (const Count bytes : {0, 1, 96, 3 << 18}) {
        const auto collective = static_cast<Collective>(c);
        const std::size_t chosen = selector.choose(collective, bytes, true);
        EXPECT_EQ(algorithms()[chosen].collective, collective);
        EXPECT_EQ(selector.choose(collective, bytes, true), chosen);
        for (std::size_t i = 0; i < algorithms().size(); ++i) {
          const bool rival =
              algorithms()[i].collective == collective && algorithms()[i].valid({size, bytes, true, nullptr});
          // Decided for a typical size of those with as many bits: 96 and 3 * 2^18 are such.
          if (!rival || bytes < 2) continue;
          EXPECT_LE(selector.time(chosen, bytes, true), selector.time(i, bytes, true)) << algorithms()[i].name;
        }
      }
  }
}

TEST(Selection, SmallAndLargeDiffer) {
  Selector selector(16, std::nullopt, std::nullopt, Model{}, {});
  EXPECT_STREQ(algorithms()[selector.choose(Collective::allreduce, 8, true)].name, "doubling");
  EXPECT_STRNE(algorithms()[selector.choose(Collective::allreduce, 1 << 24, true)].name, "doubling");
  EXPECT_STREQ(algorithms()[selector.choose(Collective::bcast, 8, true)].name, "binomial");
}

TEST(Selection, ForcedWhereValid) {
  Forced forced;
  ASSERT_EQ(parse_forced("allreduce=ring,bcast=chain", forced), "");
  Selector selector(6, std::nullopt, std::nullopt, Model{}, forced);
  EXPECT_STREQ(algorithms()[selector.choose(Collective::allreduce, 8, true)].name, "ring");
  EXPECT_STREQ(algorithms()[selector.choose(Collective::bcast, 8, true)].name, "chain");
  // The ring turns the order of the ranks.
  EXPECT_STRNE(algorithms()[selector.choose(Collective::allreduce, 8, false)].name, "ring");
}

TEST(Selection, RefusesWhatDoesNotExist) {
  Forced forced;
  EXPECT_EQ(parse_forced("", forced), "");
  EXPECT_NE(
      parse_forced("allreduce=circle", forced).find("the algorithms for allreduce are nodes, nodes_split, doubling"),
      std::string::npos);
  EXPECT_NE(parse_forced("allreduces=ring", forced).find("expected one of barrier, bcast"), std::string::npos);
  EXPECT_NE(parse_forced("bcast", forced), "");
}

TEST(Selection, ModelIsRead) {
  Model model;
  EXPECT_EQ(parse_model("alpha=3,beta=0.5,store-and-forward", model), "");
  EXPECT_EQ(model.alpha, 3);
  EXPECT_EQ(model.beta, 0.5);
  EXPECT_TRUE(model.store_and_forward);
  for (const char* text : {"alfa=3", "alpha", "alpha=", "alpha=x", "alpha=-1"})
    EXPECT_NE(parse_model(text, model), "") << text;
  EXPECT_EQ(model.alpha, 3);
}

TEST(Selection, MachineFileIsRead) {
  Model model;
  EXPECT_EQ(parse_machine("# measured\nalpha = 3.5  # between\n\n  node_beta=0.25\n", model), "");
  EXPECT_EQ(model.alpha, 3.5);
  EXPECT_EQ(model.node_beta, 0.25);
  EXPECT_EQ(model.beta, Model{}.beta);
  EXPECT_EQ(parse_machine("alpha = 4\nbeta = much\n", model), "line 2: \"beta=much\": expected a number, 0 or more");
  EXPECT_EQ(model.alpha, 3.5);
}

Nodes nodes_of(int count, int ranks) {
  std::vector<std::uint32_t> ids;
  for (int r = 0; r < ranks; ++r) ids.push_back(static_cast<std::uint32_t>(r * count / ranks));
  return Nodes(ids);
}

TEST(Selection, SeveralNodesOfSeveralRanksTakeTwoLevels) {
  Selector selector(64, std::nullopt, nodes_of(8, 64), Model{}, {});
  for (const Collective c : {Collective::barrier, Collective::bcast, Collective::allreduce, Collective::allgather})
    EXPECT_TRUE(std::string(algorithms()[selector.choose(c, 1024, true)].name).starts_with("nodes")) << name_of(c);
  // In blocks, a binomial reduction is in two levels of itself, and copies once less; not so with ranks dealt out in turn.
  EXPECT_STREQ(algorithms()[selector.choose(Collective::reduce, 1024, true)].name, "binomial");
  std::vector<std::uint32_t> dealt;
  for (std::uint32_t r = 0; r < 64; ++r) dealt.push_back(r % 8);
  Selector in_turn(64, std::nullopt, Nodes(dealt), Model{}, {});
  EXPECT_STREQ(algorithms()[in_turn.choose(Collective::reduce, 1024, true)].name, "nodes");
  Selector one_node(8, std::nullopt, nodes_of(1, 8), Model{}, {});
  EXPECT_STREQ(algorithms()[one_node.choose(Collective::bcast, 8, true)].name, "binomial");
  Selector one_a_node(8, std::nullopt, nodes_of(8, 8), Model{}, {});
  EXPECT_STREQ(algorithms()[one_a_node.choose(Collective::bcast, 8, true)].name, "binomial");
}

TEST(Selection, ReproducibleTakesTheFixedOrderOnly) {
  Forced forced;
  ASSERT_EQ(parse_forced("allreduce=ring", forced), "");
  Selector selector(64, std::nullopt, nodes_of(8, 64), Model{}, forced, true);
  for (int c = 0; c < collectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    for (Count bytes = 1; bytes < 1 << 30; bytes *= 2) {
      const Algorithm& a = algorithms()[selector.choose(collective, bytes, false)];
      EXPECT_TRUE(!reduces(collective) || a.fixed_order) << name_of(collective) << ' ' << a.name;
    }
  }
}

TEST(Selection, OnMemory) {
  EXPECT_EQ(most_on_memory(Collective::bcast, 8, 2), any_size);
  EXPECT_EQ(most_on_memory(Collective::bcast, 1, 2), -1);
  EXPECT_EQ(most_on_memory(Collective::neighbor_alltoall, 2, 2), -1);
  EXPECT_LT(most_on_memory(Collective::gather, 64, 64), 1 << 20);     // the root alone would copy it all
  EXPECT_LT(most_on_memory(Collective::allreduce, 100, 64), 1 << 20);  // there are no halls for so many
  EXPECT_EQ(most_on_memory(Collective::scatter, 100, 64), 32768 / 100);
  std::string complaint;
  const std::string table = describe_selection({"", 2, 2}, complaint);
  EXPECT_NE(table.find("scatter               any size: shared"), std::string::npos) << table;
  EXPECT_NE(table.find("allreduce             any size: shared"), std::string::npos) << table;
}

// Blocking calls, whose parts inside of nodes need no messages, go by nodes more often.
TEST(Selection, PartsOnMemory) {
  Selector selector(16, std::nullopt, nodes_of(2, 16), Model{}, {});
  const auto name = [&](Collective c, Count bytes, bool memory) { return std::string(algorithms()[selector.choose(c, bytes, true, memory)].name); };
  EXPECT_EQ(name(Collective::allreduce, 8, false), "doubling");
  for (const Collective c : {Collective::barrier, Collective::bcast, Collective::reduce, Collective::allreduce, Collective::allgather})
    for (const Count bytes : {8, 4096, 65536}) {
      const std::size_t chosen = selector.choose(c, bytes, true, true);
      EXPECT_TRUE(algorithms()[chosen].parts_on_memory) << name_of(c) << ' ' << bytes;
      EXPECT_LT(selector.time(chosen, bytes, true, true), selector.time(chosen, bytes, true, false)) << name_of(c) << ' ' << bytes;
    }
  EXPECT_EQ(name(Collective::scan, 8, true), name(Collective::scan, 8, false));
  EXPECT_EQ(most_of_parts(1), -1);
  EXPECT_EQ(most_of_parts(8), any_size);
  EXPECT_LT(most_of_parts(64), 1 << 20);  // no halls
  std::string complaint;
  const std::string table = describe_selection({"", 16, 8}, complaint);
  EXPECT_NE(table.find("    blocking            from      0 B  nodes "), std::string::npos) << table;
  EXPECT_NE(table.find("us, inside of nodes by shared memory\n"), std::string::npos) << table;
  EXPECT_EQ(describe_selection({"", 16, 1}, complaint).find("shared memory"), std::string::npos);
}

TEST(Selection, IsPrinted) {
  std::string complaint;
  const std::string table = describe_selection({"torus:4x4x4", 64, 1}, complaint);
  EXPECT_EQ(complaint, "");
  for (int c = 0; c < collectives; ++c)
    EXPECT_NE(table.find(std::string("  ") + name_of(static_cast<Collective>(c)) + " "), std::string::npos);
  const char* const memory = "shared memory, without messages";
  EXPECT_EQ(table.find(memory), std::string::npos);
  EXPECT_NE(describe_selection({"", 8, 8}, complaint).find(memory), std::string::npos);
  EXPECT_EQ(describe_selection({"", 8, 4}, complaint).find(memory), std::string::npos);  // two nodes
  EXPECT_EQ(describe_selection({"torus:4x4x4", 63, 1}, complaint), "");
  EXPECT_EQ(complaint, "layout torus:4x4x4 has 64 places for 63 ranks; it would fit: torus:7x3x3");
}

}  // namespace
}  // namespace cow::coll
