// All-to-all: each rank publishes its blocks for all, awaits all, and copies those for itself.
//
//   shm           all blocks at once
//   shm_pieces    piece by piece: of each block as much as all have room for together
//   shm_pairwise  whole pieces, from one rank to one other in each round
//
// Cost: a round, (p-1) n copied in, and as much out.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

struct Alltoall {
  static constexpr Collective collective = Collective::alltoall;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes * p.size); }
  static void cost(Cost& cost, const Problem& p) {
    const double others = static_cast<double>(p.bytes) * (p.size - 1);
    cost.copy(others);
    cost.round(p.size - 1);
    cost.copy(others);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    if (!v.give(a.send, a.count * v.size()) || !v.await_all()) return;
    for (int r = 0; r < v.size(); ++r) v.move(plus(a.recv, r * a.count), v.slot(r, v.rank() * a.count), a.count);
  }
};

struct AlltoallPairs {
  static constexpr Collective collective = Collective::alltoall;
  static constexpr const char* name = "shm_pairwise";
  // Measured: blocks of whole pieces.
  static bool valid(const Problem& p) { return has_large_rings(p) && p.bytes > static_cast<Count>(Slots::large_bytes); }
  static void cost(Cost& cost, const Problem& p) { Alltoall::cost(cost, p); }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    v.brings(a.count * size * size);
    v.move(plus(a.recv, me * a.count), plus(a.send, me * a.count), a.count);
    for (int i = 1; i < size; ++i) {
      const int to = (me + i) % size, from = (me - i + size) % size;
      for (Count at = 0; at < a.count; at += v.piece()) {
        const Count bytes = std::min(v.piece(), a.count - at);
        const Address place = v.open(bytes);
        if (!place) return;
        v.put(place, plus(a.send, to * a.count + at), bytes);
        v.publish();
        if (!v.await(from, from + 1)) return;
        v.take(plus(a.recv, from * a.count + at), v.slot(from), bytes);
      }
    }
  }
};

struct AlltoallPieces {
  static constexpr Collective collective = Collective::alltoall;
  static constexpr const char* name = "shm_pieces";
  static bool valid(const Problem& p) { return has_large_rings(p); }
  static void cost(Cost& cost, const Problem& p) {
    Alltoall::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes) * (p.size - 1), Slots::large_bytes);
  }

  // What a rank has for the others stands one after the other, beginning with that for the rank after it.
  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    const Count piece = size > 1 ? std::max(v.line(), round_down(v.piece() / (size - 1), v.line())) : v.piece();
    v.brings(a.count * size * size);
    for (Count at = 0; at < a.count; at += piece) {
      const Count bytes = std::min(piece, a.count - at), room = round_up(bytes, v.line());
      const auto block = [&](Address base, int r) { return plus(base, r * a.count + at); };
      const Address place = v.open(room * (size - 1));
      if (!place) return;
      for (int i = 1; i < size; ++i) v.put(plus(place, (i - 1) * room), block(a.send, (me + i) % size), bytes);
      v.publish();
      v.move(block(a.recv, me), block(a.send, me), bytes);
      if (!v.await_all()) return;
      for (int i = 1; i < size; ++i) {
        const int r = (me + i) % size;
        v.take(block(a.recv, r), v.slot(r, (me - r - 1 + size) % size * room), bytes);
      }
    }
  }
};

}  // namespace cow::coll::shm
