// Barrier: each rank publishes nothing, and awaits all.
//
// Cost: one round.
// Source: Graham and Shipman, "MPI support for multi-core architectures: optimized shared memory collectives", EuroPVM/MPI
// 2008.
#pragma once

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

struct Barrier {
  static constexpr Collective collective = Collective::barrier;
  static constexpr const char* name = "shm";
  static bool valid(const Problem& p) { return fits_at_once(p, 0); }
  static void cost(Cost& cost, const Problem& p) { cost.round(p.size - 1); }

  template <class V>
  static void run(V& v, const Args&) {
    if (v.give(0, 0)) static_cast<void>(v.await_all());
  }
};

}  // namespace cow::coll::shm
