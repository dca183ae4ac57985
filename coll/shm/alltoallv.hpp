// All-to-all of blocks of any length and type (MPI_Alltoallv and w): each rank publishes how long its blocks are, and the
// blocks if they fit into one round. Those of ranks whose blocks do not fit go in further rounds, from one rank to one other in
// each: all know all lengths by then. Without large rings, in messages.
//
// Cost: a round; how much is copied is not known to all.
// Source: Graham and Shipman, EuroPVM/MPI 2008.
#pragma once

#include "coll/shm/vector.hpp"

namespace cow::coll::shm {

struct Alltoallv {
  static constexpr Collective collective = Collective::alltoallv;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, 0); }
  static void cost(Cost& cost, const Problem& p) { cost.round(p.size - 1); }

  template <class V>
  static void run(V& v, const Args& a) {
    VectorBlocks<V> blocks(v);
    const Sides sides{a};
    const int me = v.rank();
    if (!v.make_requested()) return;
    if (!blocks.publish([&](int r) { return v.data_bytes(a.send_counts[r], sides.sent(r)); },
                        [&](int r) { return sides.from(r); }, [&](int r) { return a.send_counts[r]; },
                        [&](int r) { return sides.sent(r); }))
      return;
    v.transfer(sides.to(me), a.counts[me], sides.received(me), sides.from(me), a.send_counts[me], sides.sent(me));
    if (!v.await_all()) return;
    bool all_whole = true;
    for (int i = 0; i < v.size(); ++i) {
      const int r = (me + i) % v.size();
      if (!v.is_complete(r))
        all_whole = false;
      else if (r != me)
        blocks.take(r, sides.to(r), a.counts[r], sides.received(r));
    }
    if (!all_whole) v.has_large_ring() ? in_pieces(v, a) : by_messages(v, a);
  }

 private:
  struct Sides {
    const Args& a;
    Datatype* sent(int r) const { return a.send_types ? a.send_types[r] : a.send_type; }
    Datatype* received(int r) const { return a.types ? a.types[r] : a.type; }
    Address from(int r) const { return plus(a.send, a.send_displs[r]); }
    Address to(int r) const { return plus(a.recv, a.displs[r]); }
  };

  template <class V>
  static void by_messages(V& v, const Args& a) {
    const Sides sides{a};
    v.by_messages([&](auto& m) {
      for (int i = 1; i < v.size(); ++i)
        if (const int r = (v.rank() + i) % v.size(); !v.is_complete(r))
          m.post_recv(r, sides.to(r), a.counts[r], sides.received(r));
      for (int i = 1; i < v.size() && !v.is_complete(v.rank()); ++i)
        if (const int r = (v.rank() + i) % v.size(); true)
          m.post_send(r, sides.from(r), a.send_counts[r], sides.sent(r));
    });
  }

  // The lengths of those blocks that have not been taken yet, by sender and receiver.
  template <class V>
  static std::vector<Count> lengths_left(V& v) {
    std::vector<Count> out;
    for (int from = 0; from < v.size(); ++from)
      for (int r = 0; r < v.size(); ++r) out.push_back(v.is_complete(from) ? 0 : v.read_length(from, r));
    return out;
  }

  template <class V>
  static void in_pieces(V& v, const Args& a) {
    const Sides sides{a};
    const int me = v.rank(), size = v.size();
    const std::vector<Count> lengths = lengths_left(v);
    const auto length = [&](int from, int to) { return lengths[static_cast<std::size_t>(from * size + to)]; };
    for (int i = 1; i < size; ++i) {
      const int to = (me + i) % size, from = (me - i + size) % size;
      Count longest = 0;
      for (int g = 0; g < size; ++g) longest = std::max(longest, length(g, (g + i) % size));
      for (Count at = 0; at < longest; at += v.piece()) {
        const Count out = std::clamp<Count>(length(me, to) - at, 0, v.piece());
        const Address place = v.open(out);
        if (!place) return;
        v.pack(place, at, out, sides.from(to), a.send_counts[to], sides.sent(to));
        v.publish();
        const Count in = std::clamp<Count>(length(from, me) - at, 0, v.piece());
        if (in == 0) continue;
        if (!v.await(from, from + 1)) return;
        v.unpack(from, v.slot(from), at, in, sides.to(from), a.counts[from], sides.received(from));
      }
    }
  }
};

}  // namespace cow::coll::shm
