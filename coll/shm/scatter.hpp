// Scatter: the root publishes, the others await it alone and copy their blocks.
//
//   shm         all blocks at once
//   shm_pieces  one piece after the other, each for one rank, or whole blocks for several. The others go on to the rounds with
//               something for them, beginning with the rank after the root, which is ahead of all of them by as many pieces as
//               it has room for
//
// Cost: a round, (p-1) n copied by the root, and n by each.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

struct Scatter {
  static constexpr Collective collective = Collective::scatter;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes * p.size); }
  static void cost(Cost& cost, const Problem& p) {
    const auto bytes = static_cast<double>(p.bytes);
    cost.copy_by(1, bytes * (p.size - 1));
    cost.round(1);
    cost.copy(bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank();
    if (me == a.root) {
      if (v.give(a.send, a.count * v.size())) v.move(a.recv, plus(a.send, me * a.count), a.count);
      return;
    }
    if (!v.give(0, 0) || !v.await(a.root, a.root + 1)) return;
    const Count came = v.length(a.root, a.count * v.size()) / v.size();
    v.move(a.recv, v.slot(a.root, me * came), v.fit(a.root, came, a.count, v.size()));
  }
};

struct ScatterPieces {
  static constexpr Collective collective = Collective::scatter;
  static constexpr const char* name = "shm_pieces";
  static bool valid(const Problem& p) { return has_large_rings(p); }
  static void cost(Cost& cost, const Problem& p) {
    Scatter::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes) * (p.size - 1), Slots::large_bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    const Count room = round_up(std::min(v.piece(), a.count), v.line());
    const int together = static_cast<int>(std::max<Count>(1, v.piece() / std::max<Count>(room, 1)));
    const int mine = (me - a.root - 1 + size) % size;  // when my block comes
    v.brings(a.count * size);
    for (int first = 0; first < size - 1; first += together) {
      const int end = std::min(first + together, size - 1);
      for (Count at = 0; at < a.count; at += room) {
        const Count bytes = std::min(room, a.count - at);
        if (me == a.root) {
          if (!publish_blocks(v, a, first, end, at, bytes, room)) return;
          continue;
        }
        if (!v.give(0, 0)) return;
        if (mine < first || mine >= end) continue;
        if (!v.await(a.root, a.root + 1)) return;
        v.take(plus(a.recv, at), v.slot(a.root, (mine - first) * room), bytes);
      }
    }
    if (me == a.root) v.move(a.recv, plus(a.send, me * a.count), a.count);
  }

 private:
  template <class V>
  static bool publish_blocks(V& v, const Args& a, int first, int end, Count at, Count bytes, Count room) {
    const Address place = v.open((end - first) * room);
    if (!place) return false;
    for (int i = first; i < end; ++i)
      v.put(plus(place, (i - first) * room), plus(a.send, (v.rank() + 1 + i) % v.size() * a.count + at), bytes);
    v.publish();
    return true;
  }
};

}  // namespace cow::coll::shm
