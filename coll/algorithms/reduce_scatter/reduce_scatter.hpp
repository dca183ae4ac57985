// Reduce-scatter of equal or given blocks: rank r gets the sum of block r. One text for MPI_Reduce_scatter_block and
// MPI_Reduce_scatter.
//
//   halving   log2 p steps of half the rest each; commutative; folded for other sizes than powers of two
//   doubling  the whole vector by recursive doubling, of which each rank keeps its block; keeps the order; small vectors
//   pairwise  p - 1 steps of one block, straight to its owner; keeps the order; large vectors
//   ring      p - 1 steps of one block, neighbours only; commutative; large vectors on a ring
// Cost: halving log2 p alpha + (p-1)/p n (beta + gamma); pairwise and ring (p-1) alpha and the same bytes; doubling
// log2 p (alpha + n (beta + gamma)); n is the whole vector.
// Source: Thakur, Rabenseifner, Gropp, IJHPCA 2005.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct ScatterHalving {
  static constexpr const char* name = "halving";
  static bool valid(const Problem& p) { return p.commutative; }
  static void cost(Cost& cost, const Problem& p) {
    cost_fold_in(cost, p);
    double piece = static_cast<double>(p.bytes) / 2;
    for (int mask = 1 << log2_floor(p.size) >> 1; mask > 0; mask /= 2, piece /= 2) {
      cost.exchange(mask, piece);
      cost.reduce(piece);
    }
    if (!power_of_two(p.size)) cost.shift(1, static_cast<double>(p.bytes) / p.size);
    cost.copy(static_cast<double>(p.bytes));
  }

  template <class V, class Blocks>
  static void spread(V& v, const Args& a, const Blocks& blocks, Count whole) {
    const int p = v.size();
    const int r = v.rank();
    const Fold fold(p);
    const Count own = blocks.length(r);
    if (fold.folded(r)) {
      v.send(r - 1, a.send, whole);
      return v.recv(r - 1, a.recv, own);
    }
    const Address sum = v.scratch(whole);
    const Address scratch = v.scratch(whole);
    v.copy(sum, a.send, whole);
    fold_in(v, fold, sum, scratch, whole);
    const int core_rank = fold.core_rank(r);
    // Core ranks low … high - 1 own the blocks from first(low) on.
    const auto first = [&](int core) { return core < fold.core ? blocks.offset(fold.position_of(core)) : whole; };
    int low = 0;
    int high = fold.core;
    for (int mask = fold.core / 2; mask > 0; mask /= 2) {
      const int middle = (low + high) / 2;
      const bool upper = core_rank & mask;
      const Count lower_n = first(middle) - first(low);
      const Count upper_n = first(high) - first(middle);
      const Address lower = v.at(sum, first(low));
      const Address higher = v.at(sum, first(middle));
      v.exchange(fold.rank_of(core_rank ^ mask), upper ? lower : higher, upper ? lower_n : upper_n,
                 fold.rank_of(core_rank ^ mask), scratch, upper ? upper_n : lower_n);
      v.reduce(scratch, upper ? higher : lower, upper ? upper_n : lower_n);
      (upper ? low : high) = middle;
    }
    if (fold.keeps_two(r)) v.send(r + 1, v.at(sum, blocks.offset(r + 1)), blocks.length(r + 1));
    v.copy(a.recv, v.at(sum, blocks.offset(r)), own);
  }
};

struct ScatterDoubling {
  static constexpr const char* name = "doubling";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { cost_folded_doubling(cost, p); }

  template <class V, class Blocks>
  static void spread(V& v, const Args& a, const Blocks& blocks, Count whole) {
    const Fold fold(v.size());
    const Address sum = v.scratch(whole);
    const Address scratch = v.scratch(whole);
    v.copy(sum, a.send, whole);
    if (fold_in(v, fold, sum, scratch, whole)) {
      const int core_rank = fold.core_rank(v.rank());
      for (int mask = 1; mask < fold.core; mask *= 2) {
        const int partner = core_rank ^ mask;
        v.exchange(fold.rank_of(partner), sum, whole, fold.rank_of(partner), scratch, whole);
        take_in(v, sum, scratch, whole, partner < core_rank);
      }
    }
    fold_out(v, fold, sum, whole);
    v.copy(a.recv, v.at(sum, blocks.offset(v.rank())), blocks.length(v.rank()));
  }
};

struct ScatterPairwise {
  static constexpr const char* name = "pairwise";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    for (int s = 1; s < p.size; ++s) cost.shift(s, static_cast<double>(p.bytes) / p.size);
    cost.reduce(static_cast<double>(p.bytes));
  }

  // Blocks arrive from r - 1 down to 0, each put on the left; then from p - 1 down to r + 1, summed apart likewise.
  template <class V, class Blocks>
  static void spread(V& v, const Args& a, const Blocks& blocks, Count) {
    const int p = v.size();
    const int r = v.rank();
    const Count own = blocks.length(r);
    const Address left = a.send == a.recv ? v.scratch(own) : a.recv;
    const Address right = r < p - 1 ? v.scratch(own) : 0;
    const Address arrived = p > 2 ? v.scratch(own) : 0;
    v.copy(left, v.at(a.send, blocks.offset(r)), own);
    for (int s = 1; s < p; ++s) {
      const int to = modulo(r + s, p);
      const int from = modulo(r - s, p);
      const bool first_on_right = from == p - 1 && r < p - 1;
      const Address in = first_on_right ? right : arrived ? arrived : v.scratch(own);
      v.exchange(to, v.at(a.send, blocks.offset(to)), blocks.length(to), from, in, own);
      if (!first_on_right) v.reduce(in, from < r ? left : right, own);
    }
    if (r < p - 1) v.reduce(left, right, own);
    v.copy(a.recv, r < p - 1 ? right : left, own);
  }
};

struct ScatterRing {
  static constexpr const char* name = "ring";
  static bool valid(const Problem& p) { return p.commutative; }
  static void cost(Cost& cost, const Problem& p) {
    cost.shift(1, static_cast<double>(p.bytes) / p.size, p.size - 1);
    cost.reduce(static_cast<double>(p.bytes));
    cost.copy(static_cast<double>(p.bytes));
  }

  template <class V, class Blocks>
  static void spread(V& v, const Args& a, const Blocks& blocks, Count whole) {
    Count longest = 0;
    for (int i = 0; i < v.size(); ++i) longest = std::max(longest, blocks.length(i));
    const Address sum = v.scratch(whole);
    v.copy(sum, a.send, whole);
    ring_reduce_scatter(v, sum, blocks, v.scratch(longest));
    v.copy(a.recv, v.at(sum, blocks.offset(v.rank())), blocks.length(v.rank()));
  }
};

template <class Way>
struct ReduceScatterBlock : Way {
  static constexpr Collective collective = Collective::reduce_scatter_block;
  template <class V>
  static void run(V& v, const Args& a) {
    if (v.size() == 1) return v.copy(a.recv, a.send, a.count);
    Way::spread(v, a, EqualBlocks{a.count}, a.count * v.size());
  }
};

template <class Way>
struct ReduceScatter : Way {
  static constexpr Collective collective = Collective::reduce_scatter;
  template <class V>
  static void run(V& v, const Args& a) {
    const int last = v.size() - 1;
    if (last == 0) return v.copy(a.recv, a.send, a.counts[0]);
    Way::spread(v, a, GivenBlocks{a.counts, a.displs}, a.displs[last] + a.counts[last]);
  }
};

}  // namespace cow::coll
