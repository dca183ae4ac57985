#include "base/siphash.hpp"

#include <bit>

namespace cow {
namespace {

inline void round(std::uint64_t& v0, std::uint64_t& v1, std::uint64_t& v2, std::uint64_t& v3) {
  v0 += v1;
  v1 = std::rotl(v1, 13) ^ v0;
  v0 = std::rotl(v0, 32);
  v2 += v3;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 += v3;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 += v1;
  v1 = std::rotl(v1, 17) ^ v2;
  v2 = std::rotl(v2, 32);
}

}  // namespace

SipHash::SipHash(SipKey key)
    : v0_(key.low ^ 0x736f6d6570736575), v1_(key.high ^ 0x646f72616e646f6d), v2_(key.low ^ 0x6c7967656e657261),
      v3_(key.high ^ 0x7465646279746573) {}

void SipHash::compress(std::uint64_t word) {
  v3_ ^= word;
  round(v0_, v1_, v2_, v3_);
  round(v0_, v1_, v2_, v3_);
  v0_ ^= word;
}

void SipHash::add(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    tail_ |= std::uint64_t{bytes[i]} << (8 * (length_ % 8));
    if (++length_ % 8 == 0) {
      compress(tail_);
      tail_ = 0;
    }
  }
}

std::uint64_t SipHash::finish() {
  compress(tail_ | length_ << 56);
  v2_ ^= 0xff;
  for (int i = 0; i < 4; ++i) round(v0_, v1_, v2_, v3_);
  return v0_ ^ v1_ ^ v2_ ^ v3_;
}

std::uint64_t siphash(SipKey key, const void* data, std::size_t size) {
  SipHash hash(key);
  hash.add(data, size);
  return hash.finish();
}

}  // namespace cow
