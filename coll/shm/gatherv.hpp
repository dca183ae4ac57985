// Gather of blocks of any length: each rank publishes its block; the root awaits all. Only a rank itself knows how much it has:
// what does not fit into one round it sends as a message, and the root sees in the round that it does.
//
// Cost: a round; how much is copied is not known to all.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/vector.hpp"

namespace cow::coll::shm {

struct Gatherv {
  static constexpr Collective collective = Collective::gatherv;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, 0); }
  static void cost(Cost& cost, const Problem& p) { cost.round(p.size - 1); }

  template <class V>
  static void run(V& v, const Args& a) {
    if (!v.make_requested()) return;
    v.rank() == a.root ? at_root(v, a) : elsewhere(v, a);
  }

 private:
  template <class V>
  static void elsewhere(V& v, const Args& a) {
    const Count bytes = v.data_bytes(a.count, a.send_type);
    if (v.fits(bytes)) {
      const Address place = v.open(bytes);
      if (!place) return;
      v.pack(place, 0, bytes, a.send, a.count, a.send_type);
      v.publish(true);
    } else if (v.give(0, 0)) {
      v.by_messages([&](auto& m) { m.send(a.root, a.send, a.count, a.send_type); });
    }
  }

  template <class V>
  static void at_root(V& v, const Args& a) {
    const int me = v.rank();
    const auto to = [&](int r) { return plus(a.recv, a.displs[r]); };
    if (!v.give(0, 0)) return;
    v.transfer(to(me), a.counts[me], a.type, a.send, a.count, a.send_type);
    if (!v.await(0, v.size())) return;
    int sending = 0;
    for (int r = 0; r < v.size(); ++r) {
      if (r == me) continue;
      if (!v.is_complete(r))
        ++sending;
      else
        v.unpack(r, v.slot(r), 0, v.length(r, v.data_bytes(a.counts[r], a.type)), to(r), a.counts[r], a.type);
    }
    if (sending == 0) return;
    v.by_messages([&](auto& m) {
      for (int r = 0; r < v.size(); ++r)
        if (r != me && !v.is_complete(r)) m.post_recv(r, to(r), a.counts[r], a.type);
    });
  }
};

}  // namespace cow::coll::shm
