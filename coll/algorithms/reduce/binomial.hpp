// Reduction up a binomial tree. "binomial" is rooted at the root and rotates the order of the ranks; "ordered" is
// rooted at rank 0, combines in the fixed order of Fold, and sends the result to the root in one more step.
//
// When: small vectors, any p.
// Cost: ceil(log2 p) (alpha + n (beta + gamma)) and a copy, "ordered" one alpha + n beta more unless the root is 0.
// Source: folklore; Thakur, Rabenseifner, Gropp, IJHPCA 2005.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// Sums towards position 0, in the order of positions. `peer(position)` is a rank. The result stands at what is
// returned, which is `result` where that is given.
template <class V, class Peer>
Address reduce_tree(V& v, const Args& a, int position, Peer peer, Address result) {
  const int p = v.size();
  if (position % 2 == 1 || p == 1) {
    if (p == 1) v.copy(result, a.send, a.count);
    if (position != 0) v.send(peer(position - 1), a.send, a.count);
    return result;
  }
  const Address sum = result ? result : v.scratch(a.count);
  const Address arrived = position + 1 < p ? v.scratch(a.count) : 0;
  v.copy(sum, a.send, a.count);
  for (int mask = 1; mask < p; mask *= 2) {
    if (position & mask) {
      v.send(peer(position - mask), sum, a.count);
      break;
    }
    if (position + mask < p) {
      v.recv(peer(position + mask), arrived, a.count);
      take_in(v, sum, arrived, a.count, false);
    }
  }
  return sum;
}

inline void cost_reduce_tree(Cost& cost, const Problem& p) {
  for (int d = 1; d < p.size; d *= 2) {
    cost.tree(d, static_cast<double>(p.bytes));
    cost.reduce(static_cast<double>(p.bytes));
  }
}

struct ReduceBinomial {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "binomial";
  static bool valid(const Problem& p) { return p.commutative; }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost_reduce_tree(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const auto peer = [&](int position) { return modulo(position + a.root, p); };
    reduce_tree(v, a, modulo(v.rank() - a.root, p), peer, v.rank() == a.root ? a.recv : 0);
  }
};

struct ReduceOrdered {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "ordered";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    cost_fold_in(cost, p);
    for (int d = 1; d < 1 << log2_floor(p.size); d *= 2) {
      cost.tree(d, static_cast<double>(p.bytes));
      cost.reduce(static_cast<double>(p.bytes));
    }
    if (p.size > 1) cost.shift(1, static_cast<double>(p.bytes));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Fold fold(v.size());
    const bool has_result = v.rank() == a.root;
    if (!fold.folded(v.rank())) {
      const Address sum = up(v, a, fold);
      if (v.rank() == 0 && !has_result) v.send(a.root, sum, a.count);
    } else {
      v.send(v.rank() - 1, a.send, a.count);
    }
    if (has_result && v.rank() != 0) v.recv(0, a.recv, a.count);
  }

 private:
  // Where the sum stands that rank 0 ends with.
  template <class V>
  static Address up(V& v, const Args& a, const Fold& fold) {
    const int core_rank = fold.core_rank(v.rank());
    const bool adds = fold.keeps_two(v.rank()) || (core_rank % 2 == 0 && fold.core > 1);
    if (!adds && v.rank() != 0) {
      v.send(fold.rank_of(core_rank - 1), a.send, a.count);
      return 0;
    }
    const Address sum = v.rank() == 0 && a.root == 0 ? a.recv : adds ? v.scratch(a.count) : a.send;
    const Address arrived = adds ? v.scratch(a.count) : 0;
    v.copy(sum, a.send, a.count);
    fold_in(v, fold, sum, arrived, a.count);
    for (int mask = 1; mask < fold.core; mask *= 2) {
      if (core_rank & mask) {
        v.send(fold.rank_of(core_rank - mask), sum, a.count);
        break;
      }
      v.recv(fold.rank_of(core_rank + mask), arrived, a.count);
      take_in(v, sum, arrived, a.count, false);
    }
    return sum;
  }
};

}  // namespace cow::coll
