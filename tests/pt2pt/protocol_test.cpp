#include "pt2pt/protocol.hpp"

#include <gtest/gtest.h>

namespace cow::pt2pt {
namespace {

constexpr std::size_t eager_limit = 16000;

transport::Port::Limits port(bool read, bool write) {
  transport::Port::Limits limits;
  limits.message = 16384;
  limits.read = read;
  limits.write = write;
  limits.remote_threshold = 32768;
  return limits;
}

Protocol chosen(const Shape& shape, const transport::Port::Limits& limits) {
  decide_protocols();
  return choose(shape, Route(eager_limit, limits)).protocol;
}

TEST(Protocol, TheTableSaysWhatEachSizeTakes) {
  const auto both = port(true, true);
  EXPECT_EQ(chosen({0, true, true}, both), Protocol::eager);
  EXPECT_EQ(chosen({16000, false, false}, both), Protocol::eager);
  EXPECT_EQ(chosen({16001, true, true}, both), Protocol::pipeline);
  EXPECT_EQ(chosen({32768, true, true}, both), Protocol::read);
  EXPECT_EQ(chosen({std::size_t{3} << 30, true, true}, both), Protocol::read);
}

TEST(Protocol, WhatIsNotOneRunOfMemoryGoesInPieces) {
  const auto both = port(true, true);
  EXPECT_EQ(chosen({1 << 20, false, true}, both), Protocol::pipeline);
  EXPECT_EQ(chosen({1 << 20, true, false}, both), Protocol::pipeline);
}

TEST(Protocol, ThePortDecidesWhatIsPossible) {
  EXPECT_EQ(chosen({1 << 20, true, true}, port(false, true)), Protocol::write);
  EXPECT_EQ(chosen({1 << 20, true, true}, port(false, false)), Protocol::pipeline);
}

TEST(Protocol, WhatIsOfferedIsNeverEagerAndReadOnlyWhereTheOfferSays) {
  const auto both = port(true, true);
  EXPECT_EQ(chosen({5, true, true, true, true}, both), Protocol::pipeline);
  EXPECT_EQ(chosen({1 << 20, true, true, true, true}, both), Protocol::read);
  EXPECT_EQ(chosen({1 << 20, true, true, true, false}, both), Protocol::write);
}

TEST(Protocol, EveryRowIsNamedExplainedAndRuns) {
  for (const ProtocolInfo& row : protocols) {
    EXPECT_NE(std::string(row.name), "");
    EXPECT_NE(std::string(row.meaning), "");
    EXPECT_EQ(&row - protocols, static_cast<int>(row.protocol));
    EXPECT_NE(row.begin, nullptr);
    EXPECT_EQ(row.take == nullptr, row.protocol == Protocol::eager);
  }
}

TEST(Protocol, TheTablePrintsWhatIsChosen) {
  decide_protocols();
  EXPECT_EQ(describe_protocols(Route(eager_limit, port(false, true))),
            "  from bytes     to bytes  contiguous   with holes\n"
            "           0        16000  eager        eager\n"
            "       16001        32767  pipeline     pipeline\n"
            "       32768          any  write        pipeline\n");
}

}  // namespace
}  // namespace cow::pt2pt
