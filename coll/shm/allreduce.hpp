// Allreduce: each rank publishes its vector, and awaits all.
//
//   shm         each combines all vectors, in rank order, so that all get the same bits
//   shm_blocks  each combines a block, and publishes it in a second round
//   shm_pieces  the same, piece by piece: see blocks.hpp
//   shm_root    rank 0 combines all, and hands the result around, so that ranks that share a processor need not meet for every
//               piece
//
// Cost: shm a round and (p-1) n gamma; shm_blocks 2 rounds, (p-1)/p n gamma and n copied more.
// Source: Graham and Shipman, EuroPVM/MPI 2008; Jain et al., SC 2018.
#pragma once

#include "coll/shm/bcast.hpp"
#include "coll/shm/reduce.hpp"

namespace cow::coll::shm {

struct Allreduce {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "shm";
  static constexpr bool fixed_order = true;
  static constexpr Count most_to_combine = 16384;  // bytes, measured; more of them are divided among the ranks
  static bool valid(const Problem& p) {
    return fits_at_once(p, p.bytes) && (p.bytes * p.size <= most_to_combine || p.size == 1);
  }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.reduce(static_cast<double>(p.bytes) * (p.size - 1));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    if (!v.give(data_at(v.unit(), a.send, 0), v.span(a.count)) || !v.await_all()) return;
    combine_slots(v, data_at(v.unit(), a.recv, 0), 0, v.size(), 0, a.count);
  }
};

struct AllreduceBlocks {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "shm_blocks";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) {
    const bool shorter = p.bytes <= static_cast<Count>(Slots::small_bytes);
    return fits_at_once(p, p.bytes) && (shorter || !by_one_rank(p) || !has_large_rings(p));
  }
  static void cost(Cost& cost, const Problem& p) {
    cost_in_blocks(cost, p);
    cost.copy(static_cast<double>(p.bytes));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Unit& unit = v.unit();
    const EvenBlocks blocks{a.count, v.size()};
    const int me = v.rank();
    if (!v.give(data_at(unit, a.send, 0), v.span(a.count)) || !v.await_all()) return;
    const Address place = v.open(v.span(blocks.length(me)));
    if (!place) return;
    const Count n = blocks.length(me), offset = blocks.offset(me) * unit.extent;
    const Address scratch = v.fixed_order() ? v.scratch(scratch_to_combine(v, n)) : 0;
    combine(v, place, 0, v.size(), n, [&](int r) { return v.last_slot(r, offset); }, scratch);
    v.publish();
    if (!v.await_all()) return;
    for (int r = 0; r < v.size(); ++r)
      v.move(data_at(unit, a.recv, blocks.offset(r)), v.slot(r), v.span(blocks.length(r)));
  }
};

struct AllreducePieces {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "shm_pieces";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return has_large_rings(p) && !by_one_rank(p); }
  static void cost(Cost& cost, const Problem& p) {
    AllreduceBlocks::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.brings(v.span(a.count) * v.size());
    reduce_in_blocks(v, a, true);
  }
};

struct AllreduceRoot {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "shm_root";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) {
    return has_large_rings(p) && by_one_rank(p) && p.bytes > static_cast<Count>(Slots::small_bytes);
  }
  static void cost(Cost& cost, const Problem& p) {
    ReducePieces::cost(cost, p);
    BcastPieces::cost(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    Args part = a;
    part.root = 0;
    v.brings(v.span(a.count) * v.size());
    if (!ReducePieces::pieces(v, part)) return;
    part.recv = data_at(v.unit(), a.recv, 0);
    part.count = v.span(a.count);
    BcastPieces::run(v, part);
  }
};

}  // namespace cow::coll::shm
