// What several ranks published, combined by one of them.
//
// In rank order, from the last to the first, each put on the left; or, where the order must depend on the number of ranks
// alone, in the one of docs/collectives.md: of p ranks, with c the largest power of two not above p, the first 2 (p - c) are
// taken in pairs; then the c parts are combined in pairs, pairs of pairs and so on. Long ones a few KiB at a time, so that
// what they are added to stays in the nearest cache.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

// Bytes of scratch that combine() needs for n units.
template <class V>
Count scratch_to_combine(V& v, Count n) {
  if (!v.fixed_order()) return 0;
  return round_up(v.unit().span(n), v.line()) * std::bit_width(static_cast<unsigned>(v.size()));
}

template <class V, class Source>
class InPairs {
 public:
  InPairs(V& v, Count n, Source source)
      : v_(v), source_(source), n_(n), bytes_(v.unit().span(n)), room_(round_up(bytes_, v.line())),
        pairs_(v.size() - static_cast<int>(std::bit_floor(static_cast<unsigned>(v.size())))) {}

  // The sum of parts first … first + count - 1 of the c.
  void sum(int first, int count, Address to, Address spare) {
    if (count > 1) {
      sum(first, count / 2, spare, plus(spare, room_));
      sum(first + count / 2, count / 2, to, plus(spare, room_));
      return v_.reduce(spare, to, n_);
    }
    v_.move(to, source_(first < pairs_ ? 2 * first + 1 : first + pairs_), bytes_);
    if (first < pairs_) v_.reduce(source_(2 * first), to, n_);
  }
  int parts() const { return v_.size() - pairs_; }

 private:
  V& v_;
  Source source_;
  Count n_, bytes_, room_;
  int pairs_;
};

// n units of ranks first … end - 1, at source(r), into `to`, which is none of them but maybe that of the last rank.
template <class V, class Source>
void combine(V& v, Address to, int first, int end, Count n, Source source, Address scratch) {
  if (n == 0) return;
  if (v.fixed_order()) {
    InPairs<V, Source> pairs(v, n, source);
    return pairs.sum(0, pairs.parts(), to, scratch);
  }
  v.move(to, source(end - 1), v.unit().span(n));
  for (int r = end - 2; r >= first; --r) v.reduce(source(r), to, n);
}

// The same of what all ranks published in the present round, from a byte on.
template <class V>
void combine_slots(V& v, Address to, int first, int end, Count at, Count n) {
  const Count offset = at * v.unit().extent;
  const Address scratch = v.fixed_order() ? v.scratch(scratch_to_combine(v, n)) : 0;
  combine(v, to, first, end, n, [&](int r) { return v.slot(r, offset); }, scratch);
}

inline bool overlap(Address a, Address b, Count bytes) { return a < plus(b, bytes) && b < plus(a, bytes); }

// The same in chunks. `to` may lie over this rank's source, but for what lies before it.
template <class V, class Source>
void combine_long(V& v, Address to, Count n, Source source) {
  const Unit& unit = v.unit();
  const int me = v.rank();
  const Count most = units_in(unit, v.chunk()), room = round_up(unit.span(most), v.line());
  const bool in_place = overlap(to, source(me), unit.span(n));
  Address own = 0, scratch = 0;
  if (in_place || v.fixed_order()) own = v.scratch(room + scratch_to_combine(v, most)), scratch = plus(own, room);
  for (Count at = 0; at < n; at += most) {
    const Count m = std::min(most, n - at), offset = at * unit.extent;
    if (in_place) v.move(own, plus(source(me), offset), unit.span(m));
    const auto chunk = [&](int r) { return in_place && r == me ? own : plus(source(r), offset); };
    combine(v, plus(to, offset), 0, v.size(), m, chunk, scratch);
  }
}

}  // namespace cow::coll::shm
