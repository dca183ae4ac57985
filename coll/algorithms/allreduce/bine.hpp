// Allreduce over Bine butterflies: reduce-scatter with partners at the distances of Bine trees, 1, 1, 3, 5, 11, …, then
// allgather the same way back. All ranks count as one ring, whatever the layout; one colour. Sizes that are not powers
// of two are folded.
//
// In step s rank r (of the core) deals with r + rho(s) if r is even and r - rho(s) if odd, where
// rho(s) = 1 - 2 + 4 - … = (1 - (-2)^(s+1)) / 3, which is (2^(s+1) - (-1)^(s+1)) / 3 in absolute value: flipping the
// s + 1 lowest digits of r in base -2. The largest pieces travel the shortest way. The busiest directed link of a ring
// carries (|rho(s)| + 1) / 2 messages in step s: of the p pairs half send up and half down, each over |rho(s)| links, so
// that p links share p/2 * |rho(s)| crossings each way, and those of odd distance overlap unevenly by one half.
//
// When: middle and large vectors on machines where distant ranks share links and nothing is known of them. Commutative
// operations.
// Cost: 2 log2 p alpha + 2 (p-1)/p n beta + (p-1)/p n gamma, and two steps of n beta for the fold.
// Source: De Sensi et al., "Bine trees", SC 2025.
#pragma once

#include "coll/algorithms/allreduce/swing.hpp"
#include "coll/algorithms/parts/butterfly.hpp"

namespace cow::coll {

struct BinePartners {
  int core;
  int operator()(int, int step, int rank) const {
    const int distance = swing_distance(step);
    return modulo(rank % 2 == 0 ? rank + distance : rank - distance, core);
  }
  bool lower(int, int step, int rank) const { return !(swing_steps(rank, log2_floor(core)) >> step & 1); }
};

struct AllreduceBine {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "bine";
  static bool valid(const Problem& p) { return p.commutative; }

  static void cost(Cost& cost, const Problem& p) {
    const Fold fold(p.size);
    cost_fold_in(cost, p);
    cost_butterfly(cost, p, PatternName::bine_butterfly, 1, log2_floor(fold.core),
                   [&](int, int step, int rank) { return BinePartners{fold.core}(0, step, rank % fold.core); });
    cost_fold_out(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    folded_allreduce(v, a, [&](const Fold& fold, Address sum, Address) {
      Butterfly(1, log2_floor(fold.core), fold.core_rank(v.rank()), BinePartners{fold.core})
          .allreduce(v, sum, a.count, [&](int core_rank) { return fold.rank_of(core_rank); });
    });
  }
};

}  // namespace cow::coll
