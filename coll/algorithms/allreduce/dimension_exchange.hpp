// Allreduce on a hypercube by dimension exchange, in all dimensions at once: the vector is cut into d parts, and in
// step s part j is exchanged over dimension (j + s) mod d, halved each time, then collected the same way back.
//
// When: vectors of any but the smallest size on a hypercube.
// Cost: 2 d alpha + 2 (p-1)/p n beta / d: every directed link carries one message of each step (dilation 1, load 1).
// Source: Johnsson and Ho, "Optimum broadcasting and personalized communication in hypercubes", IEEE ToC 1989, for the
// rotated dimensions; Rabenseifner 2004 for the halving.
#pragma once

#include "coll/algorithms/parts/butterfly.hpp"

namespace cow::coll {

struct RotatedDimensions {
  int d;
  int operator()(int colour, int step, int rank) const { return rank ^ 1 << (colour + step) % d; }
  bool lower(int colour, int step, int rank) const { return !(rank >> (colour + step) % d & 1); }
};

struct AllreduceDimensionExchange {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "dimension_exchange";
  static bool valid(const Problem& p) {
    return p.commutative && p.layout && p.layout->kind() == Layout::Kind::hypercube && p.size > 1;
  }

  static void cost(Cost& cost, const Problem& p) {
    const int d = log2_floor(p.size);
    cost_butterfly(cost, p, PatternName::dimension_exchange, d, d, RotatedDimensions{d});
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int d = log2_floor(v.size());
    v.copy(a.recv, a.send, a.count);
    Butterfly(d, d, v.rank(), RotatedDimensions{d}).allreduce(v, a.recv, a.count);
  }
};

}  // namespace cow::coll
