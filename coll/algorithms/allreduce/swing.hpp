// Swing: allreduce whose partners swing to and fro around a ring, at distances 1, 1, 3, 5, 11, … where recursive
// doubling goes 1, 2, 4, 8, 16.
//
// With rho(s) = sum of (-2)^i for i = 0 … s, rank r exchanges in step s with r + rho(s) if it is even and r - rho(s) if
// odd. On a grid step s works in one dimension after the other; 2 D colours, each with a part of the vector, start in
// different dimensions and go mirrored ways, so that all links of a torus work at once. "swing_short" is the latency
// form: one colour, the whole vector in each step. It takes the steps from the last to the first: so the ranks that have
// met are always one set to all of them (after the steps from s on), and all combine alike and get the same bits. From
// the first to the last, two ranks that have met may each have met others than the other has.
//
// When: large ("swing") and small ("swing_short") vectors on a ring or torus whose extents are powers of two; the
// registry does not offer it elsewhere. Commutative operations.
// Cost: 2 log2 p alpha + 2 (p-1)/p n beta / (2 D) per link and (|rho(s)| + 1) / 2 messages over the busiest link of a
// ring in step s (recursive doubling: 2^s); swing_short log2 p (alpha + n (beta + gamma)).
// Source: De Sensi, Bonato, Saam, Hoefler, "Swing: short-cutting rings for higher bandwidth allreduce", NSDI 2024.
#pragma once

#include "coll/algorithms/parts/butterfly.hpp"
#include "coll/algorithms/parts/grid.hpp"

namespace cow::coll {

inline int swing_distance(int step) { return (1 - (step % 2 == 0 ? -2 : 2) * (1 << step)) / 3; }

// The steps that lead from place 0 of a ring to place r, the lowest first: bit s stands for step s. Places that meet in
// the steps from s on have the same bits below s, and partners of step s differ in bit s.
//
// r = rho(a) - rho(b) + rho(c) … for the steps a < b < c …, hence (3 r - [r odd]) / 2 = (-2)^a - (-2)^b + …, of which the
// lowest step is the number of zero bits at the end. Around the ring this leaves the highest step open; it is there if
// the number of steps would not be odd as r is.
inline int swing_steps(int r, int steps) {
  int rest = (3 * r - (r & 1)) / 2;
  int sign = 1;
  int out = 0;
  for (int s = 0; s < steps - 1; ++s) {
    if (!(rest >> s & 1)) continue;
    out |= 1 << s;
    rest -= sign * (s % 2 == 0 ? 1 << s : -(1 << s));
    sign = -sign;
  }
  const bool odd = std::popcount(static_cast<unsigned>(out)) & 1;
  return odd == ((r & 1) == 1) ? out : out | 1 << (steps - 1);
}

class SwingPartners {
 public:
  // Dimension by dimension in turn, those with steps left.
  SwingPartners(const Layout* layout, int size) : grid_(layout, size) {
    for (int turn = 0, before = -1; before != steps();) {
      before = steps();
      for (int d = 0; d < grid_.dimensions(); ++d)
        if (1 << turn < grid_.extent(d)) order_.push_back({d, turn});
      ++turn;
    }
  }
  int steps() const { return static_cast<int>(order_.size()); }
  int colours() const { return 2 * std::max(1, grid_.dimensions()); }
  static bool valid(const Problem& p) {
    if (p.layout && p.layout->kind() == Layout::Kind::mesh) return false;
    return p.commutative && Grid(p.layout, p.size).powers_of_two();
  }

  // Colour c starts in dimension c mod D; the second half of the colours is mirrored.
  int operator()(int colour, int step, int rank) const {
    const int dimensions = grid_.dimensions();
    const Move move = turned(step, colour % dimensions);
    const int here = grid_.coordinate(rank, move.dimension);
    const int distance = swing_distance(move.turn) * (colour < dimensions ? 1 : -1);
    return grid_.moved(rank, move.dimension, here % 2 == 0 ? here + distance : here - distance);
  }
  // Of the two groups that meet in a step, the one that stands on the left: the same to all of their ranks.
  bool lower(int colour, int step, int rank) const {
    const int dimensions = grid_.dimensions();
    const Move move = turned(step, colour % dimensions);
    const int extent = grid_.extent(move.dimension), here = grid_.coordinate(rank, move.dimension);
    return !(swing_steps(colour < dimensions ? here : modulo(-here, extent), log2_floor(extent)) >> move.turn & 1);
  }

 private:
  struct Move {
    int dimension;
    int turn;  // how often the dimension has been used before
  };

  // The step of a colour that starts later in the turn: within each turn the dimensions are rotated.
  Move turned(int step, int start) const {
    const Move& plain = order_[static_cast<std::size_t>(step)];
    int first = step;
    while (first > 0 && order_[static_cast<std::size_t>(first - 1)].turn == plain.turn) --first;
    int last = step;
    while (last + 1 < steps() && order_[static_cast<std::size_t>(last + 1)].turn == plain.turn) ++last;
    return order_[static_cast<std::size_t>(first + (step - first + start) % (last - first + 1))];
  }

  Grid grid_;
  std::vector<Move> order_;
};

struct AllreduceSwing {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "swing";
  static bool valid(const Problem& p) { return SwingPartners::valid(p); }

  static void cost(Cost& cost, const Problem& p) {
    const SwingPartners partners(p.layout, p.size);
    cost_butterfly(cost, p, PatternName::swing, partners.colours(), partners.steps(), partners);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    if (v.size() == 1) return;
    const SwingPartners partners(v.layout(), v.size());
    Butterfly(partners.colours(), partners.steps(), v.rank(), partners).allreduce(v, a.recv, a.count);
  }
};

struct AllreduceSwingShort {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "swing_short";
  static bool valid(const Problem& p) { return SwingPartners::valid(p); }

  static void cost(Cost& cost, const Problem& p) {
    const SwingPartners partners(p.layout, p.size);
    for (int s = 0; s < partners.steps(); ++s) {
      Traffic traffic = cost.flat();
      if (cost.patterns())
        traffic = cost.patterns()->of(pattern_name(PatternName::swing_short, s),
                                      [&](int rank, std::vector<int>& out) { out.push_back(partners(0, s, rank)); });
      cost.known(traffic, static_cast<double>(p.bytes));
      cost.reduce(static_cast<double>(p.bytes));
    }
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    if (v.size() == 1) return;
    const SwingPartners partners(v.layout(), v.size());
    Address mine = a.recv;
    Address theirs = v.scratch(a.count);
    for (int s = partners.steps() - 1; s >= 0; --s) {
      const int partner = partners(0, s, v.rank());
      v.exchange(partner, mine, a.count, partner, theirs, a.count);
      combine(v, mine, theirs, a.count, !partners.lower(0, s, v.rank()));
    }
    v.copy(a.recv, mine, a.count);
  }
};

}  // namespace cow::coll
