// Allreduce around a ring: p - 1 steps of reduce-scatter, p - 1 of allgather, one block a step. Rotates the order.
//
// When: the largest vectors; only neighbours talk, any p.
// Cost: 2 (p-1) alpha + 2 (p-1)/p n beta + (p-1)/p n gamma; dilation 1 and load 1 on a ring.
// Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", JPDC 2009.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct AllreduceRing {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "ring";
  static bool valid(const Problem& p) { return p.commutative; }

  static void cost(Cost& cost, const Problem& p) {
    cost.shift(1, static_cast<double>(p.bytes) / p.size, 2 * (p.size - 1));
    cost.reduce(static_cast<double>(p.bytes) * (p.size - 1) / p.size);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const EvenBlocks blocks{a.count, p};
    v.copy(a.recv, a.send, a.count);
    if (p == 1) return;
    ring_reduce_scatter(v, a.recv, blocks, v.scratch(blocks.length(0)));
    ring_allgather(v, v.rank(), modulo(v.rank() + 1, p), modulo(v.rank() - 1, p), a.recv, blocks);
  }
};

}  // namespace cow::coll
