// Broadcast: the root publishes, the others await it alone, and copy. Nobody waits for them: the root goes on, ahead by as many
// rounds as it has slots and room.
//
//   shm         at once
//   shm_pieces  piece by piece through the root's large ring. A copy from cache to cache takes a quarter of the time of one that
//               the kernel makes from process to process, so that two of them, which both go on at once, are faster
//
// Cost: a round, and 2 n copied.
// Source: Graham and Shipman, EuroPVM/MPI 2008; pieces: Jain et al., "Framework for scalable intra-node collective operations
// using shared memory", SC 2018.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

struct Bcast {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    const auto bytes = static_cast<double>(p.bytes);
    cost.copy_by(1, bytes);
    cost.round(1);
    cost.copy(bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    if (v.rank() == a.root) {
      v.give(a.recv, a.count);
      return;
    }
    if (!v.give(0, 0) || !v.await(a.root, a.root + 1)) return;
    const Count came = v.length(a.root, a.count);
    v.move(a.recv, v.slot(a.root), v.fit(a.root, came, a.count));
  }
};

struct BcastPieces {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "shm_pieces";
  static bool valid(const Problem& p) { return has_large_rings(p); }
  static void cost(Cost& cost, const Problem& p) {
    Bcast::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.brings(a.count * v.size());
    for (Count at = 0; at < a.count; at += v.piece()) {
      const Count bytes = std::min(v.piece(), a.count - at);
      if (v.rank() == a.root) {
        const Address place = v.open(bytes);
        if (!place) return;
        v.put(place, plus(a.recv, at), bytes);
        v.publish();
        continue;
      }
      if (!v.give(0, 0) || !v.await(a.root, a.root + 1)) return;
      const Count came = v.length(a.root, bytes);
      v.take(plus(a.recv, at), v.slot(a.root), v.fit(a.root, came, bytes));
    }
  }
};

}  // namespace cow::coll::shm
