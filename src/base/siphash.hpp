// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for short messages. Seals the handshake between ranks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow {

struct SipKey {
  std::uint64_t low = 0, high = 0;
};

class SipHash {
 public:
  explicit SipHash(SipKey key);
  void add(const void* data, std::size_t size);
  std::uint64_t finish();

 private:
  void compress(std::uint64_t word);

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t tail_ = 0;  // bytes not yet compressed, least significant first
  std::uint64_t length_ = 0;
};

std::uint64_t siphash(SipKey key, const void* data, std::size_t size);

}  // namespace cow
