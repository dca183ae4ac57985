#include "coll/select/select.hpp"

#include <gtest/gtest.h>

#include "coll/select/machine_file.hpp"
#include "coll/shm/limits.hpp"

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
  EXPECT_NE(parse_forced("allreduce=circle", forced)
                .find("the algorithms for allreduce are hierarchical, hierarchical_split, doubling"),
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
    EXPECT_TRUE(std::string(algorithms()[selector.choose(c, 1024, true)].name).starts_with("hierarchical"))
        << name_of(c);
  // In blocks, a binomial reduction is in two levels of itself, and copies once less; not so with ranks dealt out in turn.
  EXPECT_STREQ(algorithms()[selector.choose(Collective::reduce, 1024, true)].name, "binomial");
  std::vector<std::uint32_t> dealt;
  for (std::uint32_t r = 0; r < 64; ++r) dealt.push_back(r % 8);
  Selector in_turn(64, std::nullopt, Nodes(dealt), Model{}, {});
  EXPECT_STREQ(algorithms()[in_turn.choose(Collective::reduce, 1024, true)].name, "hierarchical");
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

// Ranks that share one node with so many processors.
std::string on_memory(Collective collective, int ranks, double processors, Count bytes,
                      Memory memory = Memory::large_rings) {
  Model model;
  model.processors = processors;
  Selector selector(ranks, std::nullopt, nodes_of(1, ranks), model, {});
  return algorithms()[selector.choose(collective, bytes, true, memory)].name;
}

// What was measured with 2, 4 and 8 ranks on two processors.
TEST(Selection, OnMemoryAsMeasured) {
  struct Case {
    Collective collective;
    Count until[3];  // with 2, 4 and 8 ranks: the most bytes for which this is best, where the one above it is not
    const char* name[3];
  };
  constexpr Count any = Count{1} << 40, kib = 1024;
  const Case cases[] = {
      {Collective::barrier, {0, 0, 0}, {"shm", "shm", "shm"}},
      {Collective::bcast, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::bcast, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::reduce, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::reduce, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::allreduce, {8 * kib, 4 * kib, 2 * kib}, {"shm", "shm", "shm"}},
      {Collective::allreduce, {32 * kib, 32 * kib, 4 * kib}, {"shm_blocks", "shm_blocks", "shm_blocks"}},
      {Collective::allreduce, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_root"}},
      {Collective::gather, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::gather, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::allgather, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::allgather, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::scatter, {16 * kib, 8 * kib, 4 * kib}, {"shm", "shm", "shm"}},
      {Collective::scatter, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::alltoall, {16 * kib, 8 * kib, 4 * kib}, {"shm", "shm", "shm"}},
      {Collective::alltoall, {256 * kib, 256 * kib, 256 * kib}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::alltoall, {any, any, any}, {"shm_pairwise", "shm_pairwise", "shm_pairwise"}},
      {Collective::scan, {2 * kib, 2 * kib, 2 * kib}, {"shm_look_back", "shm_look_back", "shm_look_back"}},
      {Collective::scan, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::exscan, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::reduce_scatter, {32 * kib, 32 * kib, 32 * kib}, {"shm", "shm", "shm"}},
      {Collective::reduce_scatter_block, {any, any, any}, {"shm_pieces", "shm_pieces", "shm_pieces"}},
      {Collective::gatherv, {0, 0, 0}, {"shm", "shm", "shm"}},
      {Collective::scatterv, {0, 0, 0}, {"shm", "shm", "shm"}},
      {Collective::allgatherv, {any, any, any}, {"shm", "shm", "shm"}},
      {Collective::alltoallv, {0, 0, 0}, {"shm", "shm", "shm"}},
  };
  for (const Case& c : cases)
    for (int i = 0; i < 3; ++i)
      for (const Count bytes : {c.until[i], c.until[i] * 3 / 4})
        EXPECT_EQ(on_memory(c.collective, 2 << i, 2, bytes), c.name[i])
            << name_of(c.collective) << ' ' << (2 << i) << ' ' << bytes;
}

TEST(Selection, OnMemoryElsewhere) {
  EXPECT_FALSE(on_memory(Collective::gather, 16, 16, 1 << 20).starts_with("shm"));  // the root alone would copy it all
  EXPECT_EQ(on_memory(Collective::reduce, 8, 8, 1 << 20), "shm_blocks");
  EXPECT_EQ(on_memory(Collective::scatter, 100, 64, 256, Memory::buffers), "shm");
  for (const Collective c : {Collective::bcast, Collective::allreduce, Collective::scatter, Collective::alltoall})
    EXPECT_FALSE(on_memory(c, 100, 64, 1 << 20, Memory::buffers).starts_with("shm")) << name_of(c);  // no large rings
  EXPECT_FALSE(on_memory(Collective::bcast, 8, 8, 64, Memory::none).starts_with("shm"));
  EXPECT_EQ(shm::memory_for(1), Memory::none);
  EXPECT_EQ(shm::memory_for(100), Memory::buffers);
  std::string complaint;
  const std::string table = describe_selection({"", 2, 2}, complaint);
  EXPECT_NE(table.find("    on memory           from      0 B  shm "), std::string::npos) << table;
  EXPECT_NE(table.find("shm_pieces"), std::string::npos) << table;
}

TEST(Selection, AWayOnMemoryCanBeNamed) {
  Forced forced;
  ASSERT_EQ(parse_forced("allreduce=shm_blocks", forced), "");
  Selector selector(4, std::nullopt, nodes_of(1, 4), Model{}, forced);
  EXPECT_STREQ(algorithms()[selector.choose(Collective::allreduce, 8, true, Memory::large_rings)].name, "shm_blocks");
  EXPECT_STREQ(algorithms()[selector.choose(Collective::allreduce, 8, true)].name, "doubling");
}

// Blocking calls, whose parts inside of nodes need no messages, go by nodes more often.
TEST(Selection, PartsOnMemory) {
  Selector selector(16, std::nullopt, nodes_of(2, 16), Model{}, {});
  const auto name = [&](Collective c, Count bytes, Memory memory) {
    return std::string(algorithms()[selector.choose(c, bytes, true, memory)].name);
  };
  EXPECT_EQ(name(Collective::allreduce, 8, Memory::none), "doubling");
  for (const Collective c :
       {Collective::barrier, Collective::bcast, Collective::reduce, Collective::allreduce, Collective::allgather})
    for (const Count bytes : {8, 4096, 65536}) {
      const std::size_t chosen = selector.choose(c, bytes, true, Memory::parts);
      EXPECT_TRUE(algorithms()[chosen].parts_on_memory) << name_of(c) << ' ' << bytes;
      EXPECT_LT(selector.time(chosen, bytes, true, Memory::parts), selector.time(chosen, bytes, true))
          << name_of(c) << ' ' << bytes;
    }
  EXPECT_EQ(name(Collective::scan, 8, Memory::parts), name(Collective::scan, 8, Memory::none));
  EXPECT_TRUE(shm::parts_fit(shm::memory_for(8), Count{1} << 40));
  EXPECT_FALSE(shm::parts_fit(shm::memory_for(64), 1 << 20));  // no large rings
  std::string complaint;
  const std::string table = describe_selection({"", 16, 8}, complaint);
  EXPECT_NE(table.find("    blocking            from      0 B  hierarchical "), std::string::npos) << table;
  EXPECT_NE(table.find("us, inside of nodes by shared memory\n"), std::string::npos) << table;
  EXPECT_EQ(describe_selection({"", 16, 1}, complaint).find("shared memory"), std::string::npos);
}

TEST(Selection, IsPrinted) {
  std::string complaint;
  const std::string table = describe_selection({"torus:4x4x4", 64, 1}, complaint);
  EXPECT_EQ(complaint, "");
  for (int c = 0; c < collectives; ++c)
    EXPECT_NE(table.find(std::string("  ") + name_of(static_cast<Collective>(c)) + " "), std::string::npos);
  const char* const memory = " shm ";
  EXPECT_EQ(table.find(memory), std::string::npos);
  EXPECT_NE(describe_selection({"", 8, 8}, complaint).find(memory), std::string::npos);
  EXPECT_EQ(describe_selection({"", 8, 4}, complaint).find(memory), std::string::npos);  // two nodes
  EXPECT_EQ(describe_selection({"torus:4x4x4", 63, 1}, complaint), "");
  EXPECT_EQ(complaint, "layout torus:4x4x4 has 64 places for 63 ranks; it would fit: torus:7x3x3");
}

}  // namespace
}  // namespace cow::coll
