// Pieces that several algorithms share.
#pragma once

#include <algorithm>
#include <vector>

#include "coll/core/model.hpp"
#include "coll/core/verbs.hpp"

namespace cow::coll {

// mine = theirs op mine, or mine op theirs when theirs stand on the right. `theirs` may be changed.
template <class V>
void take_in(V& v, Address mine, Address theirs, Count n, bool theirs_left) {
  if (theirs_left || v.commutative()) {
    v.reduce(theirs, mine, n);
  } else {
    v.reduce(mine, theirs, n);
    v.copy(mine, theirs, n);
  }
}

// Both partners of an exchange combine what they have, the lower one's always on the left, so that both get the same
// bits. The result stands in `mine`, which may have changed places with `theirs`.
template <class V>
void combine(V& v, Address& mine, Address& theirs, Count n, bool theirs_left) {
  if (!theirs_left) std::swap(mine, theirs);
  v.reduce(theirs, mine, n);
}

// The fixed order of combining, for any number of ranks: each odd one of the first 2 * extra is taken in by the even one
// below it, and the core ranks are then combined in pairs, pairs of pairs and so on, the lower always on the left. Where
// all reductions keep to it (those that say fixed_order), the result depends on the number of ranks alone.
//
// A power of two of core ranks out of any number: of the first 2 * extra positions, each odd one hands its part to the
// even one below it and waits for the end. Positions are ranks counted from a root; core ranks stand for intervals of
// positions in order, so that order is kept when the root is 0.
struct Fold {
  explicit Fold(int ranks, int first = 0)
      : size(ranks), root(first), core(1 << log2_floor(ranks)), extra(ranks - core) {}
  int size;
  int root;
  int core;
  int extra;
  bool folded(int position) const { return position < 2 * extra && position % 2 == 1; }
  bool keeps_two(int position) const { return position < 2 * extra && position % 2 == 0; }
  int core_rank(int position) const { return position < 2 * extra ? position / 2 : position - extra; }
  int position_of(int core_rank) const { return core_rank < extra ? 2 * core_rank : core_rank + extra; }
  int rank_of(int core_rank) const { return rank_at(position_of(core_rank)); }
  int rank_at(int position) const { return (position + root) % size; }
  int position(int rank) const { return modulo(rank - root, size); }
};

// The first step of a folded reduction, which starts with v.copy(mine, a.send): false when this rank has handed its
// part over and is done for now.
template <class V>
bool fold_in(V& v, const Fold& fold, Address mine, Address scratch, Count n) {
  const int position = fold.position(v.rank());
  if (fold.folded(position)) {
    v.send(fold.rank_at(position - 1), mine, n);
    return false;
  }
  if (fold.keeps_two(position)) {
    v.recv(fold.rank_at(position + 1), scratch, n);
    take_in(v, mine, scratch, n, false);
  }
  return true;
}

// The last step of a folded collective whose result everybody gets.
template <class V>
void fold_out(V& v, const Fold& fold, Address mine, Count n) {
  const int position = fold.position(v.rank());
  if (fold.folded(position)) v.recv(fold.rank_at(position - 1), mine, n);
  if (fold.keeps_two(position)) v.send(fold.rank_at(position + 1), mine, n);
}

inline void cost_fold_in(Cost& cost, const Problem& p) {
  if (power_of_two(p.size)) return;
  cost.shift(1, static_cast<double>(p.bytes));
  cost.reduce(static_cast<double>(p.bytes));
}
inline void cost_fold_out(Cost& cost, const Problem& p) {
  if (!power_of_two(p.size)) cost.shift(1, static_cast<double>(p.bytes));
}

// An allreduce for any number of ranks out of one of the core ranks: `core(fold, mine, scratch)` brings the sum into `mine`,
// which may have changed places with `scratch`.
template <class V, class Core>
void folded_allreduce(V& v, const Args& a, Core core) {
  v.copy(a.recv, a.send, a.count);
  if (v.size() == 1) return;
  const Fold fold(v.size());
  Address mine = a.recv;
  Address scratch = v.scratch(a.count);
  if (fold_in(v, fold, mine, scratch, a.count)) core(fold, mine, scratch);
  v.copy(a.recv, mine, a.count);
  fold_out(v, fold, a.recv, a.count);
}

// Cost of it where partners at distance 2^k exchange all that there is.
inline void cost_folded_doubling(Cost& cost, const Problem& p) {
  cost_fold_in(cost, p);
  for (int mask = 1; mask < 1 << log2_floor(p.size); mask *= 2) {
    cost.exchange(mask, static_cast<double>(p.bytes));
    cost.reduce(static_cast<double>(p.bytes));
  }
  cost_fold_out(cost, p);
}

// Blocks around a ring: every rank starts with block `position` and passes on what it received last.
template <class V, class Blocks>
void ring_allgather(V& v, int position, int next, int previous, Address buffer, const Blocks& blocks) {
  const int p = v.size();
  for (int s = 0; s < p - 1; ++s) {
    const int out = modulo(position - s, p);
    const int in = modulo(position - s - 1, p);
    v.exchange(next, v.at(buffer, blocks.offset(out)), blocks.length(out), previous, v.at(buffer, blocks.offset(in)),
               blocks.length(in));
  }
}

// Partial sums around a ring; rank r ends with the sum of block r. Rotates the order.
template <class V, class Blocks>
void ring_reduce_scatter(V& v, Address buffer, const Blocks& blocks, Address scratch) {
  const int p = v.size();
  const int r = v.rank();
  for (int s = 0; s < p - 1; ++s) {
    const int out = modulo(r - s - 1, p);
    const int in = modulo(r - s - 2, p);
    v.exchange(modulo(r + 1, p), v.at(buffer, blocks.offset(out)), blocks.length(out), modulo(r - 1, p), scratch,
               blocks.length(in));
    v.reduce(scratch, v.at(buffer, blocks.offset(in)), blocks.length(in));
  }
}

// Segment of a pipeline over `stages` hops for `bytes`, in units: near sqrt(bytes * start-up / (per byte * stages)),
// with fixed numbers, since all ranks must agree.
inline Count pipeline_segment(Count bytes, Count unit_size, int stages) {
  Count segment = 4096;
  while (segment < (Count{1} << 20) && segment * segment * std::max(stages, 1) < bytes * 20000) segment *= 2;
  return std::max<Count>(1, segment / std::max<Count>(1, unit_size));
}

}  // namespace cow::coll
