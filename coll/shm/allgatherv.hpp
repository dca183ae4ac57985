// Allgather of blocks of any length: as an allgather, in as many pieces as the longest block has. All know them.
//
// Cost: that of an allgather of blocks as long as the longest, by which it is chosen.
#pragma once

#include "coll/shm/gather.hpp"

namespace cow::coll::shm {

struct Allgatherv {
  static constexpr Collective collective = Collective::allgatherv;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return has_large_rings(p) || fits_at_once(p, p.bytes); }
  static void cost(Cost& cost, const Problem& p) { GatherPieces<true>::cost(cost, p); }

  template <class V>
  static void run(V& v, const Args& a) {
    const int me = v.rank(), size = v.size();
    const Count longest = *std::max_element(a.counts, a.counts + size);
    if (longest > most_at_once) v.brings(longest * size * size);
    for (Count at = 0; at < longest; at += v.piece()) {
      const auto bytes = [&](int r) { return std::clamp<Count>(a.counts[r] - at, 0, v.piece()); };
      const auto block = [&](int r) { return plus(a.recv, a.displs[r] + at); };
      const Address own = plus(a.send, at), place = v.open(bytes(me));
      if (!place) return;
      if (longest <= static_cast<Count>(Slots::small_bytes))
        v.move(place, own, bytes(me));
      else
        v.put(place, own, bytes(me));
      v.publish();
      v.move(block(me), own, bytes(me));
      if (!v.await_all()) return;
      for (int i = 1; i < size; ++i) {
        const int r = (me + i) % size;
        v.take(block(r), v.slot(r), bytes(r));
      }
    }
  }
};

}  // namespace cow::coll::shm
