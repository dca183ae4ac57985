// Allreduce over any butterfly: log2 p steps of reduce-scatter and as many of allgather, each with one partner, for
// several colours at once, each on its part of the vector with partners of its own.
//
// In step s a rank keeps the blocks of those ranks that it will still reach in later steps and gives its partner the
// others. Ranks that reach the same set form a class, and a step splits each class in two, of which the pattern names one
// the lower. Which block is whose does not matter to an allreduce, so blocks are numbered such that every class owns
// consecutive ones: the lower half of the class keeps the lower half. Nothing is packed, whatever the pattern of partners.
#pragma once

#include <vector>

#include "coll/algorithms/parts/halving.hpp"

namespace cow::coll {

// partner(colour, step, rank); the relation is symmetric. partner.lower(colour, step, rank): the same for all ranks that
// `rank` will reach in later steps, and not so for its partner's. A few operations each: this is done in every call.
template <class Partner>
class Butterfly {
 public:
  Butterfly(int colours, int steps, int rank, const Partner& partner)
      : colours_(colours), steps_(steps), rank_(rank), partner_(partner) {
    for (int c = 0; c < colours; ++c) {
      BlockRange piece{0, 1 << steps};
      for (int s = 0; s < steps; ++s) {
        const int middle = (piece.low + piece.high) / 2;
        const bool lower = partner.lower(c, s, rank);
        const BlockRange halves[2] = {{piece.low, middle}, {middle, piece.high}};
        kept_.push_back(halves[lower ? 0 : 1]);
        given_.push_back(halves[lower ? 1 : 0]);
        piece = kept_.back();
      }
    }
  }

  template <class V>
  void allreduce(V& v, Address buffer, Count n) const {
    allreduce(v, buffer, n, [](int rank) { return rank; });
  }
  // The ranks of the butterfly are some of those of the verbs: rank_of(rank) is one's rank there.
  template <class V, class RankOf>
  void allreduce(V& v, Address buffer, Count n, RankOf rank_of) const {
    const Address scratch = v.scratch(n);
    for (int s = 0; s < steps_; ++s) {
      exchange(v, rank_of, s, buffer, scratch, n, given_, kept_);
      for (int c = 0; c < colours_; ++c) {
        const Part kept = part(n, c, kept_[index(c, s)]);
        v.reduce(v.at(scratch, kept.at), v.at(buffer, kept.at), kept.n);
      }
    }
    for (int s = steps_ - 1; s >= 0; --s) exchange(v, rank_of, s, buffer, buffer, n, kept_, given_);
  }

 private:
  struct Part {
    Count at;
    Count n;
  };

  template <class V, class RankOf>
  void exchange(V& v, RankOf rank_of, int s, Address from, Address into, Count n, const std::vector<BlockRange>& out,
                const std::vector<BlockRange>& in) const {
    for (int c = 0; c < colours_; ++c) {
      const int peer = rank_of(partner_(c, s, rank_));
      const Part arriving = part(n, c, in[index(c, s)]);
      const Part leaving = part(n, c, out[index(c, s)]);
      v.post_recv(peer, v.at(into, arriving.at), arriving.n);
      v.post_send(peer, v.at(from, leaving.at), leaving.n);
    }
    v.step();
  }

  std::size_t index(int colour, int step) const { return static_cast<std::size_t>(colour * steps_ + step); }

  Part part(Count n, int colour, const BlockRange& piece) const {
    const EvenBlocks colours{n, colours_};
    const EvenBlocks blocks{colours.length(colour), 1 << steps_};
    return {colours.offset(colour) + blocks.offset(piece.low), blocks.length(piece.low, piece.high)};
  }

  int colours_;
  int steps_;
  int rank_;
  Partner partner_;
  std::vector<BlockRange> kept_, given_;  // by colour, then step
};

// The cost of a butterfly: `family` names the pattern of each step.
template <class Partner>
void cost_butterfly(Cost& cost, const Problem& p, PatternName family, int colours, int steps, Partner partner) {
  double piece = static_cast<double>(p.bytes) / 2 / colours;
  for (int s = 0; s < steps; ++s, piece /= 2) {
    Traffic traffic{cost.flat().hops, colours};
    if (cost.patterns())
      traffic = cost.patterns()->of(pattern_name(family, s), [&](int rank, std::vector<int>& out) {
        for (int c = 0; c < colours; ++c) out.push_back(partner(c, s, rank));
      });
    cost.known(traffic, piece, 2);
    cost.starts(2 * (colours - 1));
    cost.reduce(piece * colours);
  }
}

}  // namespace cow::coll
