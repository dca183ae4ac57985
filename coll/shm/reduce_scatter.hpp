// Reduce_scatter and reduce_scatter_block: each rank publishes its vector, awaits all, and combines its own block.
//
//   shm         at once
//   shm_pieces  piece by piece: each rank publishes of the blocks of all others
//
// Cost: a round, n copied, and (p-1)/p n gamma.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/combine.hpp"

namespace cow::coll::shm {

// The blocks of a vector that the ranks combine, each its own.
template <bool with_counts>
struct OwnBlocks {
  const Args& args;
  Count length(int r) const { return with_counts ? args.counts[r] : args.count; }
  Count offset(int r) const { return with_counts ? args.displs[r] : args.count * r; }
};

template <bool with_counts>
struct ReduceScatterShm {
  static constexpr Collective collective = with_counts ? Collective::reduce_scatter : Collective::reduce_scatter_block;
  static constexpr const char* name = "shm";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.reduce(static_cast<double>(p.bytes) * (p.size - 1) / p.size);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const OwnBlocks<with_counts> blocks{a};
    const int last = v.size() - 1, me = v.rank();
    const Count all = blocks.offset(last) + blocks.length(last);
    if (!v.give(data_at(v.unit(), a.send, 0), v.span(all)) || !v.await_all()) return;
    combine_slots(v, data_at(v.unit(), a.recv, 0), 0, v.size(), blocks.offset(me), blocks.length(me));
  }
};

template <bool with_counts>
struct ReduceScatterPieces {
  static constexpr Collective collective = with_counts ? Collective::reduce_scatter : Collective::reduce_scatter_block;
  static constexpr const char* name = "shm_pieces";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem& p) { return has_large_rings(p); }
  static void cost(Cost& cost, const Problem& p) {
    ReduceScatterShm<with_counts>::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  // In each round the next units of every block that has so many. Those of each block that has some stand in what the others
  // publish, as long as there is room for all, in rank order.
  template <class V>
  static void run(V& v, const Args& a) {
    const OwnBlocks<with_counts> blocks{a};
    const int last = v.size() - 1;
    v.brings(v.span(blocks.offset(last) + blocks.length(last)));
    for (Count at = 0, units = 0;; at += units) {
      int left = 0;
      for (int r = 0; r < v.size(); ++r) left += blocks.length(r) > at;
      if (left == 0) return;
      units = units_in(v.unit(), round_down(v.piece() / std::max(1, std::min(left, last)), v.line()));
      const Piece piece{at, units, left, round_up(v.span(units), v.line())};
      if (!publish(v, a, blocks, piece)) return;
      if (blocks.length(v.rank()) <= at) continue;
      if (!v.await_all()) return;
      combine_own(v, a, blocks, piece);
    }
  }

 private:
  struct Piece {
    Count at, units;
    int left;    // how many blocks have some of it
    Count room;  // for those of each
  };
  using Blocks = OwnBlocks<with_counts>;
  static bool is_left(const Blocks& blocks, const Piece& p, int r) { return blocks.length(r) > p.at; }
  static Count length(const Blocks& blocks, const Piece& p, int r) {
    return std::clamp<Count>(blocks.length(r) - p.at, 0, p.units);
  }

  template <class V>
  static bool publish(V& v, const Args& a, const Blocks& blocks, const Piece& p) {
    Address place = v.open((p.left - is_left(blocks, p, v.rank())) * p.room);
    if (!place) return false;
    for (int r = 0; r < v.size(); ++r) {
      if (r == v.rank() || !is_left(blocks, p, r)) continue;
      v.put(place, data_at(v.unit(), a.send, blocks.offset(r) + p.at), v.span(length(blocks, p, r)));
      place = plus(place, p.room);
    }
    v.publish();
    return true;
  }

  template <class V>
  static void combine_own(V& v, const Args& a, const Blocks& blocks, const Piece& p) {
    const int me = v.rank();
    Count below = 0;  // whose units stand before those for this rank
    for (int r = 0; r < me; ++r) below += is_left(blocks, p, r);
    const Address own = data_at(v.unit(), a.send, blocks.offset(me) + p.at);
    const auto source = [&](int r) {
      return r == me ? own : v.slot(r, (below - (r < me && is_left(blocks, p, r))) * p.room);
    };
    combine_long(v, data_at(v.unit(), a.recv, p.at), length(blocks, p, me), source);
  }
};

}  // namespace cow::coll::shm
