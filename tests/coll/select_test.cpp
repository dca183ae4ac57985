#include "coll/select.hpp"

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
      parse_forced("allreduce=circle", forced).find("the algorithms for allreduce are doubling, rabenseifner, ring"),
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

TEST(Selection, IsPrinted) {
  std::string complaint;
  const std::string table = describe_selection({"torus:4x4x4", 64, 1}, complaint);
  EXPECT_EQ(complaint, "");
  for (int c = 0; c < collectives; ++c)
    EXPECT_NE(table.find(std::string("  ") + name_of(static_cast<Collective>(c)) + " "), std::string::npos);
  EXPECT_EQ(describe_selection({"torus:4x4x4", 63, 1}, complaint), "");
  EXPECT_EQ(complaint, "layout torus:4x4x4 has 64 places for 63 ranks; it would fit: torus:7x3x3");
}

}  // namespace
}  // namespace cow::coll
