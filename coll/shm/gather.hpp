// Gather and allgather: each rank publishes its block; the root, or everybody, awaits all and copies.
//
//   shm         at once
//   shm_pieces  piece by piece. A gather only where few ranks can work at once: else messages, which many copy at once, are
//               faster than a root that copies everything
//
// Cost: a round, n copied in, and (p-1) n copied out.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

template <bool everywhere>
struct GatherShm {
  static constexpr Collective collective = everywhere ? Collective::allgather : Collective::gather;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost.round(p.size - 1);
    cost.copy_by(everywhere ? p.size : 1, static_cast<double>(p.bytes) * (p.size - 1));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank();
    const auto block = [&](int r) { return plus(a.recv, r * a.count); };
    if (!everywhere && me != a.root) {
      v.give(a.send, a.count);
      return;
    }
    if (!(everywhere ? v.give(a.send, a.count) && v.await_all() : v.give(0, 0) && v.await(0, v.size()))) return;
    for (int r = 0; r < v.size(); ++r)
      if (r != me) v.move(block(r), v.slot(r), v.fit(r, v.length(r, a.count), a.count));
    v.move(block(me), a.send, a.count);
  }
};

template <bool everywhere>
struct GatherPieces {
  static constexpr Collective collective = everywhere ? Collective::allgather : Collective::gather;
  static constexpr const char* name = "shm_pieces";
  static bool valid(const Problem& p) {
    return has_large_rings(p) && (everywhere || few_at_work(p.size, p.processors));
  }
  static void cost(Cost& cost, const Problem& p) {
    GatherShm<everywhere>::cost(cost, p);
    cost.pieces(static_cast<double>(p.bytes), Slots::large_bytes);
  }

  // Each begins with the rank after itself, so that not all read from one.
  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    const bool receives = everywhere || me == a.root, publishes = everywhere || !receives;
    v.brings(a.count * size * (everywhere ? size : 1));
    for (Count at = 0; at < a.count; at += v.piece()) {
      const Count bytes = std::min(v.piece(), a.count - at);
      const auto block = [&](int r) { return plus(a.recv, r * a.count + at); };
      const Address own = plus(a.send, at), place = v.open(publishes ? bytes : 0);
      if (!place) return;
      if (publishes) v.put(place, own, bytes);
      v.publish();
      if (!receives) continue;
      v.move(block(me), own, bytes);
      if (!(everywhere ? v.await_all() : v.await(0, size))) return;
      for (int i = 1; i < size; ++i) {
        const int r = (me + i) % size;
        v.take(block(r), v.slot(r), bytes);
      }
    }
  }
};

using Gather = GatherShm<false>;
using Allgather = GatherShm<true>;

}  // namespace cow::coll::shm
