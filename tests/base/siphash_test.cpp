#include "base/siphash.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace cow {
namespace {

// Appendix A of "SipHash: a fast short-input PRF": key 00 01 … 0f, message 00 01 … 0e.
TEST(SipHash, GivesTheValueOfThePaper) {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::vector<unsigned char> message(15);
  std::iota(message.begin(), message.end(), static_cast<unsigned char>(0));
  EXPECT_EQ(siphash(key, message.data(), message.size()), 0xa129ca6149be45e5);
}

TEST(SipHash, DoesNotDependOnHowTheMessageIsCut) {
  const SipKey key{1, 2};
  std::vector<unsigned char> message(100);
  std::iota(message.begin(), message.end(), static_cast<unsigned char>(7));
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    SipHash hash(key);
    hash.add(message.data(), cut);
    hash.add(message.data() + cut, message.size() - cut);
    EXPECT_EQ(hash.finish(), siphash(key, message.data(), message.size())) << "cut at " << cut;
  }
}

TEST(SipHash, DependsOnEveryByteAndOnTheKey) {
  std::vector<unsigned char> message(40, 0);
  const std::uint64_t whole = siphash({1, 2}, message.data(), message.size());
  EXPECT_NE(whole, siphash({1, 3}, message.data(), message.size()));
  EXPECT_NE(whole, siphash({1, 2}, message.data(), message.size() - 1));
  for (unsigned char& byte : message) {
    byte ^= 1;
    EXPECT_NE(whole, siphash({1, 2}, message.data(), message.size()));
    byte ^= 1;
  }
}

}  // namespace
}  // namespace cow
