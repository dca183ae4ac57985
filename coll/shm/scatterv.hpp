// Scatter of blocks of any length: the root publishes how long they are, and the blocks, all in one round if they fit, else
// one after the other in further rounds, whose number all know then. Without large rings, in messages.
//
// Cost: a round; how much is copied is not known to all.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/vector.hpp"

namespace cow::coll::shm {

struct Scatterv {
  static constexpr Collective collective = Collective::scatterv;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, 0); }
  static void cost(Cost& cost, const Problem&) { cost.round(1); }

  template <class V>
  static void run(V& v, const Args& a) {
    VectorBlocks<V> blocks(v);
    const bool is_root = v.rank() == a.root;
    if (!v.make_requested()) return;
    if (is_root) {
      const auto bytes = [&](int r) { return v.data_bytes(a.send_counts[r], a.send_type); };
      if (!blocks.publish(
              bytes, [&](int r) { return from(a, r); }, [&](int r) { return a.send_counts[r]; },
              [&](int) { return a.send_type; }))
        return;
      v.transfer(a.recv, a.count, a.type, from(a, a.root), a.send_counts[a.root], a.send_type);
    } else if (!v.give(0, 0) || !v.await(a.root, a.root + 1)) {
      return;
    }
    if (!v.is_complete(a.root)) return v.has_large_ring() ? in_pieces(v, a) : by_messages(v, a);
    if (!is_root) blocks.take(a.root, a.recv, a.count, a.type);
  }

 private:
  static Address from(const Args& a, int r) { return plus(a.send, a.send_displs[r]); }

  template <class V>
  static void by_messages(V& v, const Args& a) {
    v.by_messages([&](auto& m) {
      if (v.rank() != a.root) return m.post_recv(a.root, a.recv, a.count, a.type);
      for (int r = 0; r < v.size(); ++r)
        if (r != a.root) m.post_send(r, from(a, r), a.send_counts[r], a.send_type);
    });
  }

  template <class V>
  static void in_pieces(V& v, const Args& a) {
    std::vector<Count> lengths;
    for (int r = 0; r < v.size(); ++r) lengths.push_back(v.read_length(a.root, r));
    for (int r = 0; r < v.size(); ++r)
      for (Count at = 0; at < lengths[static_cast<std::size_t>(r)]; at += v.piece())
        if (!piece(v, a, r, at, std::min(v.piece(), lengths[static_cast<std::size_t>(r)] - at))) return;
  }

  // Bytes [at, at + bytes) of the block for rank r.
  template <class V>
  static bool piece(V& v, const Args& a, int r, Count at, Count bytes) {
    if (v.rank() == a.root) {
      const Address place = v.open(bytes);
      if (!place) return false;
      v.pack(place, at, bytes, from(a, r), a.send_counts[r], a.send_type);
      v.publish();
      return true;
    }
    if (!v.give(0, 0)) return false;
    if (r != v.rank()) return true;
    if (!v.await(a.root, a.root + 1)) return false;
    v.unpack(a.root, v.slot(a.root), at, bytes, a.recv, a.count, a.type);
    return true;
  }
};

}  // namespace cow::coll::shm
