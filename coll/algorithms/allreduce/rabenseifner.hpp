// Allreduce by reduce-scatter (recursive halving) and allgather (recursive doubling), nearest partner first. Keeps the
// order; sizes that are not powers of two are folded.
//
// When: middle and large vectors.
// Cost: 2 log2 p alpha + 2 (p-1)/p n beta + (p-1)/p n gamma, and two steps of n beta for the fold.
// Source: Rabenseifner, "Optimization of collective reduction operations", ICCS 2004.
#pragma once

#include "coll/algorithms/parts/halving.hpp"

namespace cow::coll {

struct AllreduceRabenseifner {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "rabenseifner";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    cost_fold_in(cost, p);
    cost_halving(cost, p);
    cost_doubling(cost, p);
    cost_fold_out(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    folded_allreduce(v, a, [&](const Fold& fold, Address sum, Address scratch) {
      const int core_rank = fold.core_rank(v.rank());
      halving_reduce_scatter(v, fold, core_rank, sum, scratch, a.count);
      doubling_allgather(v, fold, core_rank, sum, a.count);
    });
  }
};

}  // namespace cow::coll
