// Prefix sums: each rank publishes its vector, and awaits those below. All combine from the left, so the results do not depend
// on who was how fast.
//
//   shm            each combines what those below published
//   shm_look_back  each publishes also, as soon as it knows it, what all ranks up to itself come to. Who comes later needs the
//                  vectors back to the nearest rank that has got so far, if they are there, and nobody waits for that: with a
//                  processor for each rank all combine at once what lies below them, and of ranks that take turns each finds
//                  the sum of the rank below, reads one place, combines once, and may go ahead of those above
//   shm_pieces     from rank to rank, a piece behind the one below
//
// Cost: a round, n copied, (p-1) n gamma; where ranks take turns shm_look_back n gamma for each; pieces (p-1 + k) rounds for k
// pieces.
// Source: Merrill and Garland, "Single-pass parallel prefix scan with decoupled look-back", 2016.
#pragma once

#include <utility>

#include "coll/shm/combine.hpp"

namespace cow::coll::shm {

inline Count half_of(Count bytes) { return round_up(bytes, 8); }  // of what a rank publishes: its vector, and the sum

template <bool inclusive>
struct ScanShm {
  static constexpr Collective collective = inclusive ? Collective::scan : Collective::exscan;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.reduce(static_cast<double>(p.bytes) * (p.size - 1));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank();
    const Address own = data_at(v.unit(), a.send, 0), result = data_at(v.unit(), a.recv, 0);
    const bool last = me == v.size() - 1;  // from which nobody wants anything
    if (!v.give(own, last ? 0 : v.span(a.count)) || (me == 0 && !inclusive) || !v.await(0, me)) return;
    combine(v, result, 0, me + inclusive, a.count, [&](int r) { return r == me ? own : v.slot(r); }, 0);
  }
};

template <bool inclusive>
struct ScanLookBack {
  static constexpr Collective collective = inclusive ? Collective::scan : Collective::exscan;
  static constexpr const char* name = "shm_look_back";
  static bool valid(const Problem& p) {
    return fits_at_once(p, p.bytes) && 2 * half_of(p.bytes) <= static_cast<Count>(Slots::small_bytes);
  }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.reduce(static_cast<double>(p.bytes) * (p.size - 1) / turns(p));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Unit& unit = v.unit();
    const Count bytes = v.span(a.count), half = half_of(bytes);
    const Address own = data_at(unit, a.send, 0), result = data_at(unit, a.recv, 0);
    if (v.rank() == 0) return first(v, a, half);
    const bool last = v.rank() == v.size() - 1;  // from which nobody wants anything
    const Address place = v.open(last ? 0 : 2 * half), sum = plus(place, half);
    if (!place) return;
    const bool in_turn = v.is_complete(v.rank() - 1);
    Address below = 0;
    if (!in_turn) {
      if (!last) v.move(place, own, bytes);
      v.publish();
    }
    if (!(in_turn ? v.await(v.rank() - 1, v.rank()) : v.await(0, v.rank()))) return;
    below = in_turn ? v.slot(v.rank() - 1, half) : sum_below(v, a.count, half);
    // The sum for those above is made in the place, or in the result where nobody is above.
    const Address target = last ? result : sum;
    if (!last || inclusive) {
      v.move(target, own, bytes);
      v.reduce(below, target, a.count);
    }
    if (in_turn)
      v.publish(true);
    else if (!last)
      v.complete();
    if (!inclusive)
      v.move(result, below, bytes);
    else if (!last)
      v.move(result, sum, bytes);
  }

 private:
  template <class V>
  static void first(V& v, const Args& a, Count half) {
    const Address own = data_at(v.unit(), a.send, 0), place = v.open(2 * half);
    if (!place) return;
    v.move(plus(place, half), own, v.span(a.count));
    v.publish(true);
    if (inclusive) v.move(data_at(v.unit(), a.recv, 0), own, v.span(a.count));
  }

  // What the ranks below come to: where it lies, in the place of the next one or in scratch.
  template <class V>
  static Address sum_below(V& v, Count n, Count half) {
    const int me = v.rank();
    int from = me - 1;
    while (from > 0 && !v.is_complete(from)) --from;  // rank 0 is
    Address out = v.slot(from, half);
    if (from == me - 1) return out;
    const Count room = round_up(half, v.line());
    Address next = v.scratch(2 * room), after = plus(next, room);
    for (int r = from + 1; r < me; ++r) {
      v.move(next, v.slot(r), v.span(n));
      v.reduce(out, next, n);
      out = next;
      std::swap(next, after);
    }
    return out;
  }
};

template <bool inclusive>
struct ScanPieces {
  static constexpr Collective collective = inclusive ? Collective::scan : Collective::exscan;
  static constexpr const char* name = "shm_pieces";
  static bool valid(const Problem& p) { return has_large_rings(p) && !fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    const auto bytes = static_cast<double>(p.bytes);
    cost.copy(2 * bytes);
    cost.reduce(bytes);
    for (int r = 1; r < p.size; ++r) cost.round(1);
    cost.pieces(bytes, Slots::large_bytes);
  }

  // Each rank publishes what all up to itself come to, a piece later than the one below, which alone it awaits.
  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    const Count units = units_in(v.unit(), v.crowded() ? v.piece() : v.piece() / 4),
                pieces = (a.count + units - 1) / units;
    v.brings(v.span(a.count) * size);
    for (Count round = 0; round < pieces + size - 1; ++round) {
      const Count piece = round - me, at = piece * units, n = std::min(units, a.count - at);
      const bool here = piece >= 0 && piece < pieces, publishes = here && me < size - 1;
      const Address place = v.open(publishes ? v.span(n) : 0);
      if (!place) return;
      if (here) add_piece(v, a, at, n, publishes ? place : 0);
      v.publish();
      if (me > 0 && piece + 1 >= 0 && piece + 1 < pieces && !v.await(me - 1, me)) return;
    }
  }

 private:
  // Units at … at + n - 1, with what the rank below published in the last round, if there is one.
  template <class V>
  static void add_piece(V& v, const Args& a, Count at, Count n, Address place) {
    const Unit& unit = v.unit();
    const Address own = data_at(unit, a.send, at), result = data_at(unit, a.recv, at);
    if (v.rank() == 0) {
      if (place) v.put(place, own, v.span(n));
      if (inclusive) v.move(result, own, v.span(n));
      return;
    }
    const Address below = v.last_slot(v.rank() - 1, 0), sum = place ? place : result;
    const Count most = place || inclusive ? units_in(unit, v.chunk()) : n;
    for (Count done = 0; done < n; done += most) {
      const Count m = std::min(most, n - done), bytes = v.span(m), offset = done * unit.extent;
      if (place || inclusive) {
        v.move(plus(sum, offset), plus(own, offset), bytes);
        v.reduce(plus(below, offset), plus(sum, offset), m);
      }
      v.move(plus(result, offset), plus(inclusive ? sum : below, offset), bytes);
    }
  }
};

}  // namespace cow::coll::shm
