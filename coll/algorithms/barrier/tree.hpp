// Barrier over a binomial tree: everybody reports towards rank 0, which releases everybody.
//
// When: fewest messages, 2 (p - 1) in all, which counts where ranks share cores or one link.
// Cost: 2 ceil(log2 p) (alpha + hops).
// Source: folklore; Mellor-Crummey and Scott, "Algorithms for scalable synchronization", 1991.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct BarrierTree {
  static constexpr Collective collective = Collective::barrier;
  static constexpr const char* name = "tree";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    cost_half(cost, p);
    cost_half(cost, p);
  }
  static void cost_half(Cost& cost, const Problem& p) {
    for (int d = 1; d < p.size; d *= 2) cost.tree(d, 0);
  }

  template <class V>
  static void run(V& v, const Args&) {
    report(v);
    release(v);
  }

  // Returns at rank 0 when everybody is there.
  template <class V>
  static void report(V& v) {
    const int r = v.rank();
    const int end = mask_of(v);
    for (int mask = 1; mask < end; mask *= 2) {
      if (r + mask < v.size()) {
        v.post_empty_recv(r + mask);
        v.step();
      }
    }
    if (r == 0) return;
    v.post_empty_send(r - end);
    v.step();
  }

  // Returns when rank 0 has come here.
  template <class V>
  static void release(V& v) {
    const int r = v.rank();
    int mask = mask_of(v);
    if (r != 0) {
      v.post_empty_recv(r - mask);
      v.step();
    }
    for (mask /= 2; mask > 0; mask /= 2) {
      if (r + mask < v.size()) {
        v.post_empty_send(r + mask);
        v.step();
      }
    }
  }

 private:
  // The lowest bit of the rank, which leads to its parent; beyond all ranks for rank 0.
  template <class V>
  static int mask_of(V& v) {
    int mask = 1;
    while (mask < v.size() && !(v.rank() & mask)) mask *= 2;
    return mask;
  }
};

}  // namespace cow::coll
