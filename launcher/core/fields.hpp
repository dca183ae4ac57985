// Structs as bytes: a struct says once which fields it has and in which order, as in
//
//   struct Point {
//     std::uint32_t x = 0, y = 0;
//     static auto fields(auto& self) { return std::tie(self.x, self.y); }
//   };
//
// and is written and read by that (the format of each type: wire.hpp). A field is a number, bool, enumeration, duration, text,
// another such struct, or a list (std::vector) of those.
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "launcher/core/time.hpp"
#include "launcher/core/wire.hpp"

namespace cow::launch {

template <class T>
concept Fielded = requires(T& value) { T::fields(value); };

// Number of members of an aggregate.
struct AnyMember {
  template <class T>
  operator T() const;
};
template <class T, class... Members>
consteval std::size_t count_members() {
  if constexpr (requires { T{Members{}..., AnyMember{}}; }) return count_members<T, Members..., AnyMember>();
  return sizeof...(Members);
}

// Whether none was forgotten.
template <Fielded T>
inline constexpr bool names_all_members =
    count_members<T>() == std::tuple_size_v<decltype(T::fields(std::declval<T&>()))>;

inline void put_field(Writer& out, bool value) { out.u8(value); }
inline void put_field(Writer& out, std::uint8_t value) { out.u8(value); }
inline void put_field(Writer& out, std::uint16_t value) { out.u16(value); }
inline void put_field(Writer& out, std::uint32_t value) { out.u32(value); }
inline void put_field(Writer& out, std::uint64_t value) { out.u64(value); }
inline void put_field(Writer& out, std::int32_t value) { out.u32(static_cast<std::uint32_t>(value)); }
inline void put_field(Writer& out, std::string_view value) { out.text(value); }
inline void put_field(Writer& out, const std::string& value) { out.text(value); }

inline void put_field(Writer& out, milliseconds value) {
  constexpr milliseconds longest{std::numeric_limits<std::uint32_t>::max()};  // seven weeks
  out.u32(static_cast<std::uint32_t>(std::clamp(value, milliseconds::zero(), longest).count()));
}

inline void get_field(Reader& in, std::uint8_t& value) { value = in.u8(); }
inline void get_field(Reader& in, std::uint16_t& value) { value = in.u16(); }
inline void get_field(Reader& in, std::uint32_t& value) { value = in.u32(); }
inline void get_field(Reader& in, std::uint64_t& value) { value = in.u64(); }
inline void get_field(Reader& in, std::int32_t& value) { value = static_cast<std::int32_t>(in.u32()); }
inline void get_field(Reader& in, std::string_view& value) { value = in.text(); }  // lives as long as what is read
inline void get_field(Reader& in, std::string& value) { value = in.text(); }
inline void get_field(Reader& in, milliseconds& value) { value = milliseconds(in.u32()); }
inline void get_field(Reader& in, bool& value) {
  const std::uint8_t byte = in.u8();
  if (byte > 1) in.spoil();
  value = byte == 1;
}

template <class T>
  requires std::is_enum_v<T>
void put_field(Writer& out, T value) {
  put_field(out, static_cast<std::underlying_type_t<T>>(value));
}
template <class T>
  requires std::is_enum_v<T>
void get_field(Reader& in, T& value) {
  std::underlying_type_t<T> number{};
  get_field(in, number);
  value = static_cast<T>(number);
}

template <Fielded T>
void put_field(Writer& out, const T& value);
template <Fielded T>
void get_field(Reader& in, T& value);

// The fewest bytes that an element can take: how many there can be in a body is known before any memory is asked for.
template <class T>
std::size_t least_bytes() {
  static const std::size_t least = [] {
    Writer out;
    put_field(out, T{});
    return out.bytes().size();
  }();
  return least;
}

template <class T>
void put_field(Writer& out, const std::vector<T>& values) {
  out.u32(static_cast<std::uint32_t>(values.size()));
  for (const T& value : values) put_field(out, value);
}
template <class T>
void get_field(Reader& in, std::vector<T>& values) {
  values.assign(in.count(least_bytes<T>()), T{});
  for (T& value : values) get_field(in, value);
}

template <Fielded T>
void put_field(Writer& out, const T& value) {
  std::apply([&](const auto&... fields) { (put_field(out, fields), ...); }, T::fields(value));
}
template <Fielded T>
void get_field(Reader& in, T& value) {
  std::apply([&](auto&... fields) { (get_field(in, fields), ...); }, T::fields(value));
}

template <Fielded T>
std::string write_fields(const T& value) {
  Writer out;
  put_field(out, value);
  return out.take();
}

// False: the bytes are not exactly those of such a struct.
template <Fielded T>
bool read_fields(std::string_view bytes, T& out) {
  Reader in(bytes);
  get_field(in, out);
  return in.finished();
}

}  // namespace cow::launch
