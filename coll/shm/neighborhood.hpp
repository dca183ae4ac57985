// Neighbourhood collectives: each rank publishes its blocks for all its neighbours, and for whom each is; and awaits those from
// which it receives. Where a rank's blocks do not fit into one round, they go as messages, and its neighbours see that.
//
// Cost: a round with a few others.
// Source: folklore; the order of blocks between two ranks is that of coll/algorithms/neighborhood/direct.hpp.
#pragma once

#include "coll/algorithms/neighborhood/direct.hpp"
#include "coll/shm/vector.hpp"

namespace cow::coll::shm {

template <Collective which>
struct NeighboursShm {
  static constexpr Collective collective = which;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, 0); }
  static void cost(Cost& cost, const Problem&) { cost.round(3); }

  template <class V>
  static void run(V& v, const Args& a) {
    const Blocks blocks{a};
    const Neighbours& n = blocks.n;
    if (!v.make_requested()) return;
    const bool whole = v.fits(bytes_of(v, blocks));
    if (!publish(v, blocks, whole)) return;
    blocks.own(v);
    bool all_whole = whole;
    for (int k = 0; k < n.indegree(); ++k) {
      const int from = blocks.source(n.arrival(k));
      if (!is_other(v, from)) continue;
      if (!v.await(from, from + 1)) return;
      v.is_complete(from) ? take(v, blocks, k) : static_cast<void>(all_whole = false);
    }
    if (!all_whole) by_messages(v, blocks, whole);
  }

 private:
  using Blocks = NeighbourBlocks<which>;
  static constexpr bool same_block = Blocks::same_block;
  template <class V>
  static bool is_other(V& v, int rank) {
    return rank != MPI_PROC_NULL && rank != v.rank();
  }

  // Before the blocks: how many there are, and for whom (a rank + 1; 0: for nobody else) and how long each is.
  static Count start(int blocks) { return same_block ? 0 : length_bytes * (1 + 2 * blocks); }
  template <class V>
  static Count bytes(V& v, const Blocks& blocks, int j) {
    return is_other(v, blocks.destination(j)) ? v.data_bytes(blocks.send_count(j), blocks.send_type(j)) : 0;
  }
  template <class V>
  static Count bytes_of(V& v, const Blocks& blocks) {
    const int out = blocks.n.outdegree();
    if (same_block) return out > 0 ? v.data_bytes(blocks.a.count, blocks.a.send_type) : 0;
    Count all = start(out);
    for (int j = 0; j < out; ++j) all += bytes(v, blocks, j);
    return all;
  }

  template <class V>
  static bool publish(V& v, const Blocks& blocks, bool whole) {
    const Args& a = blocks.a;
    const int out = blocks.n.outdegree();
    const Address place = v.open(whole ? bytes_of(v, blocks) : 0);
    if (!place) return false;
    if (same_block && whole && out > 0) v.pack(place, 0, bytes_of(v, blocks), a.send, a.count, a.send_type);
    Count at = start(out);
    if (!same_block && whole) v.put_length(place, 0, out);
    for (int j = 0; !same_block && whole && j < out; ++j) {
      const Count length = bytes(v, blocks, j);
      v.put_length(place, 1 + 2 * j, is_other(v, blocks.destination(j)) ? blocks.destination(j) + 1 : 0);
      v.put_length(place, 2 + 2 * j, length);
      v.pack(plus(place, at), 0, length, blocks.from(j), blocks.send_count(j), blocks.send_type(j));
      at += length;
    }
    v.publish(whole);
    return true;
  }

  // The block that arrives as the k-th: of those of its source for this rank, the one with the same number.
  template <class V>
  static void take(V& v, const Blocks& blocks, int k) {
    const Args& a = blocks.a;
    const int i = blocks.n.arrival(k), from = blocks.source(i);
    const auto unpack = [&](Count at, Count length) {
      v.unpack(from, v.slot(from, at), 0, length, blocks.to(i), a.counts[i], blocks.type(i));
    };
    if (same_block) return unpack(0, v.length(from, v.data_bytes(a.counts[i], blocks.type(i))));
    int before = 0;
    for (int earlier = 0; earlier < k; ++earlier) before += blocks.source(blocks.n.arrival(earlier)) == from;
    const auto out = static_cast<int>(v.read_length(from, 0));
    Count at = start(out);
    for (int j = 0; j < out; ++j) {
      const Count length = v.read_length(from, 2 + 2 * j);
      if (v.read_length(from, 1 + 2 * j) == v.rank() + 1 && before-- == 0) return unpack(at, length);
      at += length;
    }
  }

  template <class V>
  static void by_messages(V& v, const Blocks& blocks, bool whole) {
    const Args& a = blocks.a;
    v.by_messages([&](auto& m) {
      for (int k = 0; k < blocks.n.indegree(); ++k) {
        const int i = blocks.n.arrival(k), from = blocks.source(i);
        if (is_other(v, from) && !v.is_complete(from)) m.post_recv(from, blocks.to(i), a.counts[i], blocks.type(i));
      }
      for (int j = 0; !whole && j < blocks.n.outdegree(); ++j)
        if (const int to = blocks.destination(j); is_other(v, to))
          m.post_send(to, blocks.from(j), blocks.send_count(j), blocks.send_type(j));
    });
  }
};

}  // namespace cow::coll::shm
