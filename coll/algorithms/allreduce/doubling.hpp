// Allreduce by recursive doubling: partners at distance 2^k exchange the whole vector and both add it up. Keeps the
// order; sizes that are not powers of two are folded.
//
// When: small vectors.
// Cost: log2 p (alpha + n (beta + gamma)), two steps more for the fold. On a hypercube each step uses links of one
// dimension once (dilation 1, load 1); on a ring the busiest link of step k carries 2^k messages.
// Source: Thakur, Rabenseifner, Gropp, IJHPCA 2005.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct AllreduceDoubling {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "doubling";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { cost_folded_doubling(cost, p); }

  template <class V>
  static void run(V& v, const Args& a) {
    folded_allreduce(v, a, [&](const Fold& fold, Address& mine, Address& theirs) {
      const int core_rank = fold.core_rank(v.rank());
      for (int mask = 1; mask < fold.core; mask *= 2) {
        const int partner = core_rank ^ mask;
        v.exchange(fold.rank_of(partner), mine, a.count, fold.rank_of(partner), theirs, a.count);
        combine(v, mine, theirs, a.count, partner < core_rank);
      }
    });
  }
};

}  // namespace cow::coll
