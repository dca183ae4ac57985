// Reduction by reduce-scatter (recursive halving) and a binomial gather of the pieces. Rooted at the root by rotation,
// so for commutative operations; other sizes than powers of two are folded first.
//
// When: large vectors.
// Cost: 2 log2 p alpha + 2 (p-1)/p n beta + (p-1)/p n gamma, a step of n beta for the fold, and a copy.
// Source: Rabenseifner, "Optimization of collective reduction operations", ICCS 2004.
#pragma once

#include "coll/algorithms/parts/halving.hpp"

namespace cow::coll {

struct ReduceRabenseifner {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "rabenseifner";
  static bool valid(const Problem& p) { return p.commutative; }
  static void cost(Cost& cost, const Problem& p) {
    cost.copy(static_cast<double>(p.bytes));
    cost_fold_in(cost, p);
    cost_halving(cost, p);
    cost_doubling(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Fold fold(v.size(), a.root);
    const int position = fold.position(v.rank());
    if (fold.folded(position)) return v.send(fold.rank_at(position - 1), a.send, a.count);
    const Address sum = position == 0 ? a.recv : v.scratch(a.count);
    const Address scratch = v.scratch(a.count);
    v.copy(sum, a.send, a.count);
    fold_in(v, fold, sum, scratch, a.count);
    const int core_rank = fold.core_rank(position);
    halving_reduce_scatter(v, fold, core_rank, sum, scratch, a.count);
    gather_pieces(v, fold, core_rank, sum, a.count);
  }

 private:
  template <class V>
  static void gather_pieces(V& v, const Fold& fold, int core_rank, Address sum, Count count) {
    const EvenBlocks blocks{count, fold.core};
    for (int mask = fold.core / 2; mask > 0; mask /= 2) {
      const Halves halves(piece_before(fold, core_rank, mask), core_rank, mask);
      const bool gives = core_rank & mask;
      const BlockRange& moved = gives ? halves.kept : halves.given;
      const Address place = v.at(sum, blocks.offset(moved.low));
      const Count n = blocks.length(moved.low, moved.high);
      if (gives) return v.send(fold.rank_of(core_rank ^ mask), place, n);
      v.recv(fold.rank_of(core_rank ^ mask), place, n);
    }
  }
};

// The same in the fixed order: rooted at rank 0's side, and the pieces go straight to the root.
struct ReduceOrderedHalving {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "ordered_halving";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    const int core = 1 << log2_floor(p.size);
    cost.copy(static_cast<double>(p.bytes));
    cost_fold_in(cost, p);
    cost_halving(cost, p);
    cost.fan(core - 1, static_cast<double>(p.bytes) / core);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Fold fold(v.size());
    const bool has_result = v.rank() == a.root;
    const EvenBlocks blocks{a.count, fold.core};
    const auto piece = [&](int core_rank) { return piece_before(fold, core_rank, fold.core); };
    if (v.size() == 1) return v.copy(a.recv, a.send, a.count);
    if (fold.folded(v.rank())) {
      v.send(v.rank() - 1, a.send, a.count);
    } else {
      const Address sum = has_result ? a.recv : v.scratch(a.count);
      const Address scratch = v.scratch(a.count);
      v.copy(sum, a.send, a.count);
      fold_in(v, fold, sum, scratch, a.count);
      const int core_rank = fold.core_rank(v.rank());
      const BlockRange mine = halving_reduce_scatter(v, fold, core_rank, sum, scratch, a.count);
      if (!has_result) v.send(a.root, v.at(sum, blocks.offset(mine.low)), blocks.length(mine.low, mine.high));
    }
    if (!has_result) return;
    for (int c = 0; c < fold.core; ++c)
      if (fold.rank_of(c) != v.rank())
        v.post_recv(fold.rank_of(c), v.at(a.recv, blocks.offset(piece(c).low)),
                    blocks.length(piece(c).low, piece(c).high));
    v.step();
  }
};

}  // namespace cow::coll
