// Numbers that C++ has no type for: half precision, and complex numbers whose product the compiler can vectorise.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace cow {

#ifdef __SIZEOF_FLOAT128__
__extension__ using Quad = __float128;
#else
using Quad = long double;  // where long double has 113 bits
#endif
__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31;
  std::uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  std::uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | fraction << 13;
  } else if (exponent != 0) {
    bits = sign | (exponent + 112) << 23 | fraction << 13;
  } else {
    const float value = static_cast<float>(fraction) * 0x1p-24F;  // zero and subnormal
    std::memcpy(&bits, &value, 4);
    bits |= sign;
  }
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// Rounds to the nearest, ties to even.
inline std::uint16_t float_to_half(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) {  // infinity, or not a number
    const std::uint32_t fraction = magnitude > 0x7f800000 ? 0x200 | (magnitude >> 13 & 0x3ff) : 0;
    return static_cast<std::uint16_t>(sign | 0x7c00 | fraction);
  }
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and more
  if (magnitude < 0x38800000) {                       // below the least normal number: a multiple of 2^-24
    float absolute;
    std::memcpy(&absolute, &magnitude, 4);
    const float shifted = absolute + 0.5F;  // the float adder rounds to a multiple of 2^-24
    std::uint32_t rounded;
    std::memcpy(&rounded, &shifted, 4);
    return static_cast<std::uint16_t>(sign | (rounded - 0x3f000000));
  }
  const std::uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1) - (112U << 23);
  return static_cast<std::uint16_t>(sign | rounded >> 13);
}

struct Half {
  std::uint16_t bits;
  Half() = default;
  Half(float value) : bits(float_to_half(value)) {}
  operator float() const { return half_to_float(bits); }
};

template <class T>
struct Complex {
  T re, im;
  friend bool operator==(const Complex&, const Complex&) = default;
};

// Integers add and multiply modulo 2^n.
template <class T>
struct UnsignedOf {
  using type = T;
};
template <class T>
  requires std::is_integral_v<T>
struct UnsignedOf<T> {
  // Narrow ones would be promoted to int, whose product can overflow.
  using type = std::conditional_t<(sizeof(T) < sizeof(unsigned)), unsigned, std::make_unsigned_t<T>>;
};
template <>
struct UnsignedOf<Int128> {
  using type = Uint128;
};

template <class T>
inline T add(T a, T b) {
  using U = typename UnsignedOf<T>::type;
  return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
}
template <class T>
inline T multiply(T a, T b) {
  using U = typename UnsignedOf<T>::type;
  return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
}
template <class T>
inline Complex<T> add(Complex<T> a, Complex<T> b) {
  return {static_cast<T>(a.re + b.re), static_cast<T>(a.im + b.im)};
}
template <class T>
inline Complex<T> multiply(Complex<T> a, Complex<T> b) {
  return {static_cast<T>(a.re * b.re - a.im * b.im), static_cast<T>(a.re * b.im + a.im * b.re)};
}

}  // namespace cow
