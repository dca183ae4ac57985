// Broadcast over a binomial tree rooted at the root; the whole message in each step.
//
// When: small messages, any p.
// Cost: ceil(log2 p) (alpha + n beta); distances halve from p/2 to 1.
// Source: folklore; Chan, Heimlich, Purkayastha, van de Geijn, "Collective communication", 2007.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct BcastBinomial {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "binomial";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    for (int d = 1; d < p.size; d *= 2) cost.tree(d, static_cast<double>(p.bytes));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int relative = modulo(v.rank() - a.root, p);
    int mask = 1;
    while (mask < p && !(relative & mask)) mask *= 2;
    if (relative != 0) v.recv(modulo(relative - mask + a.root, p), a.recv, a.count);
    for (mask /= 2; mask > 0; mask /= 2)
      if (relative + mask < p) v.send(modulo(relative + mask + a.root, p), a.recv, a.count);
  }
};

}  // namespace cow::coll
