// The two halves of Rabenseifner's algorithms: a reduce-scatter that halves the vector with each exchange, and the
// allgather that undoes it. Over a power of two of core ranks, nearest partner first, so that the largest messages go
// the shortest way and the order of the ranks is kept. Who owns which piece in between does not matter to anybody.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// The piece [low, high) of the vector's blocks that a core rank works on.
struct BlockRange {
  int low;
  int high;
};

// The halves of a piece that a core rank keeps and gives away at the step of `mask`.
struct Halves {
  BlockRange kept;
  BlockRange given;
  Halves(BlockRange whole, int core_rank, int mask) {
    const int middle = (whole.low + whole.high) / 2;
    kept = {whole.low, middle};
    given = {middle, whole.high};
    if (core_rank & mask) std::swap(kept, given);
  }
};

template <class V>
BlockRange halving_reduce_scatter(V& v, const Fold& fold, int core_rank, Address buffer, Address scratch, Count n) {
  const EvenBlocks blocks{n, fold.core};
  BlockRange piece{0, fold.core};
  for (int mask = 1; mask < fold.core; mask *= 2) {
    const int partner = core_rank ^ mask;
    const Halves halves(piece, core_rank, mask);
    const Count kept = blocks.length(halves.kept.low, halves.kept.high);
    const Address mine = v.at(buffer, blocks.offset(halves.kept.low));
    v.exchange(fold.rank_of(partner), v.at(buffer, blocks.offset(halves.given.low)),
               blocks.length(halves.given.low, halves.given.high), fold.rank_of(partner), scratch, kept);
    take_in(v, mine, scratch, kept, partner < core_rank);
    piece = halves.kept;
  }
  return piece;
}

// The piece that a core rank worked on before the step of `mask`.
inline BlockRange piece_before(const Fold& fold, int core_rank, int mask) {
  BlockRange piece{0, fold.core};
  for (int m = 1; m < mask; m *= 2) piece = Halves(piece, core_rank, m).kept;
  return piece;
}

template <class V>
void doubling_allgather(V& v, const Fold& fold, int core_rank, Address buffer, Count n) {
  const EvenBlocks blocks{n, fold.core};
  for (int mask = fold.core / 2; mask > 0; mask /= 2) {
    const int partner = core_rank ^ mask;
    const Halves halves(piece_before(fold, core_rank, mask), core_rank, mask);
    v.exchange(fold.rank_of(partner), v.at(buffer, blocks.offset(halves.kept.low)),
               blocks.length(halves.kept.low, halves.kept.high), fold.rank_of(partner),
               v.at(buffer, blocks.offset(halves.given.low)), blocks.length(halves.given.low, halves.given.high));
  }
}

inline void cost_halving(Cost& cost, const Problem& p) {
  double piece = static_cast<double>(p.bytes) / 2;
  for (int mask = 1; mask < 1 << log2_floor(p.size); mask *= 2, piece /= 2) {
    cost.exchange(mask, piece);
    cost.reduce(piece);
  }
}
inline void cost_doubling(Cost& cost, const Problem& p) {
  double piece = static_cast<double>(p.bytes) / 2;
  for (int mask = 1; mask < 1 << log2_floor(p.size); mask *= 2, piece /= 2) cost.exchange(mask, piece);
}

}  // namespace cow::coll
