#include "pt2pt/protocol.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

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

TEST(Protocol, TheTableSaysWhatEachSizeTakes) {
  decide_protocols();
  const auto both = port(true, true);
  EXPECT_EQ(choose({0, true, true}, both, eager_limit), Protocol::eager);
  EXPECT_EQ(choose({16000, false, false}, both, eager_limit), Protocol::eager);
  EXPECT_EQ(choose({16001, true, true}, both, eager_limit), Protocol::pipeline);
  EXPECT_EQ(choose({32768, true, true}, both, eager_limit), Protocol::read);
  EXPECT_EQ(choose({std::size_t{3} << 30, true, true}, both, eager_limit), Protocol::read);
}

TEST(Protocol, WhatIsNotOneRunOfMemoryGoesInPieces) {
  decide_protocols();
  const auto both = port(true, true);
  EXPECT_EQ(choose({1 << 20, false, true}, both, eager_limit), Protocol::pipeline);
  EXPECT_EQ(choose({1 << 20, true, false}, both, eager_limit), Protocol::pipeline);
}

TEST(Protocol, ThePortDecidesWhatIsPossible) {
  decide_protocols();
  EXPECT_EQ(choose({1 << 20, true, true}, port(false, true), eager_limit), Protocol::write);
  EXPECT_EQ(choose({1 << 20, true, true}, port(false, false), eager_limit), Protocol::pipeline);
}

TEST(Protocol, EveryProtocolIsNamedAndExplained) {
  for (const ProtocolInfo& info : protocols) {
    EXPECT_NE(std::string(info.name), "");
    EXPECT_NE(std::string(info.meaning), "");
  }
}

}  // namespace
}  // namespace cow::pt2pt
