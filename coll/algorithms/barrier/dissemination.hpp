// Barrier by dissemination: in step k rank r tells r + 2^k and hears from r - 2^k.
//
// When: always good; ceil(log2 p) steps of empty messages, any p.
// Cost: ceil(log2 p) (alpha + hops); on a ring the distances double.
// Source: Hensgen, Finkel, Manber, "Two algorithms for barrier synchronization", 1988.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct BarrierDissemination {
  static constexpr Collective collective = Collective::barrier;
  static constexpr const char* name = "dissemination";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    for (int d = 1; d < p.size; d *= 2) cost.shift(d, 0);
  }

  template <class V>
  static void run(V& v, const Args&) {
    const int p = v.size();
    for (int d = 1; d < p; d *= 2) v.exchange_empty(modulo(v.rank() + d, p), modulo(v.rank() - d, p));
  }
};

}  // namespace cow::coll
