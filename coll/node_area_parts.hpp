// What the files of the node's area share: bytes, and the fixed order of combining.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "coll/node_area.hpp"
#include "objects/op.hpp"

namespace cow::coll {

inline std::byte* bytes_at(Address address) { return reinterpret_cast<std::byte*>(address); }

inline void copy(Address to, const void* from, Count bytes) {
  if (bytes > 0 && bytes_at(to) != from) std::memcpy(bytes_at(to), from, static_cast<std::size_t>(bytes));
}

inline Error too_long(int rank, Count came, Count fits) {
  return fail(ErrorClass::truncate, "rank %d sends %lld bytes, of which %lld fit", rank, static_cast<long long>(came),
              static_cast<long long>(fits));
}

// n units of all ranks, data(r) those of rank r, combined in the one order of docs/collectives.md: of p ranks, with c the
// largest power of two not above p, the first 2 (p - c) are taken in pairs; then the c parts are combined in pairs, pairs
// of pairs and so on.
template <class Data>
Error NodeArea::combine_in_pairs(const Unit& unit, Address to, Count n, Data data) {
  const int parts = static_cast<int>(std::bit_floor(static_cast<unsigned>(size_))), pairs = size_ - parts;
  const Count bytes = unit.span(n), room = (bytes + 63) / 64 * 64;
  const auto lb = static_cast<Address>(unit.true_lb);
  const auto take_in = [&](Address left, Address right) {
    return reduce_local(*unit.op, *unit.type, bytes_at(left - lb), bytes_at(right - lb), n);
  };
  halves_.resize(static_cast<std::size_t>(room * std::bit_width(static_cast<unsigned>(parts)) + 64));
  const auto fold = [&](auto& self, int first, int count, Address out, Address spare) -> Error {
    if (count > 1) {
      if (Error error = self(self, first, count / 2, spare, spare + static_cast<Address>(room))) return error;
      if (Error error = self(self, first + count / 2, count / 2, out, spare + static_cast<Address>(room))) return error;
      return take_in(spare, out);
    }
    copy(out, data(first < pairs ? 2 * first + 1 : first + pairs), bytes);
    return first < pairs ? take_in(reinterpret_cast<Address>(data(2 * first)), out) : success;
  };
  return fold(fold, 0, parts, to, (reinterpret_cast<Address>(halves_.data()) + 63) / 64 * 64);
}

// ---- long vectors

inline constexpr Count hall = Board::hall_bytes;  // given in one round, at most
inline constexpr Count line_bytes = 64;

inline Count round_up(Count bytes) { return (bytes + line_bytes - 1) / line_bytes * line_bytes; }
inline Count round_down(Count bytes) { return bytes / line_bytes * line_bytes; }

// How many units `bytes` bytes hold; at least one.
inline Count units_in(const Unit& unit, Count bytes) {
  return std::max<Count>(1, (bytes - unit.true_extent) / unit.extent + 1);
}

// The first byte of data of unit i.
inline Address data_at(const Unit& unit, Address base, Count i) {
  return base + static_cast<Address>(i * unit.extent + unit.true_lb);
}

}  // namespace cow::coll
