// Values of the imagined machine: products of terms, hashed. See machine.hpp.
#pragma once

#include <cstdint>

namespace cow::coll {

// An element of the free monoid over terms, seen through a homomorphism into affine maps x -> scale * x + shift modulo
// a prime: composition keeps order and is associative. A commutative product adds up the terms' random numbers instead.
struct Value {
  std::uint64_t shift = 0;
  std::uint64_t scale = 0;  // 0: nothing, or spoilt
  bool operator==(const Value&) const = default;
  bool nothing() const { return scale == 0; }
};

inline constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;

inline std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  const auto sum = static_cast<std::uint64_t>(product & prime) + static_cast<std::uint64_t>(product >> 61);
  return sum >= prime ? sum - prime : sum;
}
inline std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a + b >= prime ? a + b - prime : a + b; }

inline std::uint64_t scramble(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

// Element `index` of what `rank` contributes.
inline Value term(int rank, std::int64_t index) {
  const std::uint64_t seed =
      scramble(static_cast<std::uint64_t>(rank) * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(index) + 1);
  return {seed % prime, 2 + scramble(seed) % (prime - 2)};
}

inline Value product(const Value& left, const Value& right, bool commutative) {
  if (left.nothing() || right.nothing()) return {};
  if (commutative) return {add(left.shift, right.shift), multiply(left.scale, right.scale)};
  return {add(multiply(left.shift, right.scale), right.shift), multiply(left.scale, right.scale)};
}

}  // namespace cow::coll
