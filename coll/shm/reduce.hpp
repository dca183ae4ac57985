// Reduction: each rank publishes its vector; the root awaits all, and combines them.
//
//   shm         at once
//   shm_pieces  piece by piece through the large rings
//   shm_blocks  the same, each rank combining a block of every piece: see blocks.hpp
//
// Cost: a round, n copied, and (p-1) n gamma at the root; in blocks (p-1)/p n gamma, and 2 n copied more.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/blocks.hpp"
#include "coll/shm/combine.hpp"

namespace cow::coll::shm {

struct Reduce {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "shm";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.reduce_by(1, static_cast<double>(p.bytes) * (p.size - 1));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    if (!v.give(data_at(v.unit(), a.send, 0), v.span(a.count)) || v.rank() != a.root || !v.await(0, v.size())) return;
    combine_slots(v, data_at(v.unit(), a.recv, 0), 0, v.size(), 0, a.count);
  }
};

struct ReducePieces {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "shm_pieces";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return has_large_rings(p); }
  static void cost(Cost& cost, const Problem& p) {
    Reduce::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.brings(v.span(a.count));
    pieces(v, a);
  }

  // False: the way cannot go on.
  template <class V>
  static bool pieces(V& v, const Args& a) {
    const Unit& unit = v.unit();
    const Count units = units_in(unit, v.piece());
    const int me = v.rank();
    for (Count at = 0; at < a.count; at += units) {
      const Count n = std::min(units, a.count - at);
      const Address own = data_at(unit, a.send, at), place = v.open(me == a.root ? 0 : v.span(n));
      if (!place) return false;
      if (me != a.root) v.put(place, own, v.span(n));
      v.publish();
      if (me != a.root) continue;
      if (!v.await(0, v.size())) return false;
      combine_long(v, data_at(unit, a.recv, at), n, [&](int r) { return r == me ? own : v.slot(r); });
    }
    return true;
  }
};

struct ReduceBlocks {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "shm_blocks";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return has_large_rings(p) && many_at_work(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_in_blocks(cost, p);
    cost.copy_by(1, static_cast<double>(p.bytes));
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.brings(v.span(a.count));
    reduce_in_blocks(v, a, v.rank() == a.root);
  }
};

}  // namespace cow::coll::shm
