// Broadcast by scattering blocks over a binomial tree and collecting them: around a ring, or by recursive doubling
// where p is a power of two.
//
// When: large messages; doubling for middle sizes (fewer steps), the ring for the largest (neighbours only).
// Cost: (log2 p + p - 1) alpha + 2 (p-1)/p n beta with the ring; 2 log2 p alpha and the same bytes with doubling.
// Source: van de Geijn, "On global combine operations", 1994; Thakur, Rabenseifner, Gropp, IJHPCA 2005.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// Rank `relative` ends with block `relative`, having received the blocks of its subtree on the way.
template <class V>
void scatter_blocks(V& v, const Args& a, int relative, const EvenBlocks& blocks) {
  const int p = v.size();
  int mask = 1;
  while (mask < p && !(relative & mask)) mask *= 2;
  if (relative != 0)
    v.recv(modulo(relative - mask + a.root, p), v.at(a.recv, blocks.offset(relative)),
           blocks.length(relative, std::min(relative + mask, p)));
  for (mask /= 2; mask > 0; mask /= 2) {
    const int child = relative + mask;
    if (child < p)
      v.send(modulo(child + a.root, p), v.at(a.recv, blocks.offset(child)),
             blocks.length(child, std::min(child + mask, p)));
  }
}

inline void cost_scatter_blocks(Cost& cost, const Problem& p) {
  const double block = static_cast<double>(p.bytes) / p.size;
  int d = 1;
  while (d < p.size) d *= 2;
  for (d /= 2; d > 0; d /= 2) cost.tree(d, block * std::min(d, p.size - d));
}

struct BcastScatterRing {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "scatter_ring";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    cost_scatter_blocks(cost, p);
    cost.shift(1, static_cast<double>(p.bytes) / p.size, p.size - 1);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int relative = modulo(v.rank() - a.root, p);
    const EvenBlocks blocks{a.count, p};
    scatter_blocks(v, a, relative, blocks);
    ring_allgather(v, relative, modulo(v.rank() + 1, p), modulo(v.rank() - 1, p), a.recv, blocks);
  }
};

struct BcastScatterDoubling {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "scatter_doubling";
  static bool valid(const Problem& p) { return power_of_two(p.size); }

  static void cost(Cost& cost, const Problem& p) {
    cost_scatter_blocks(cost, p);
    for (int d = 1; d < p.size; d *= 2) cost.exchange(d, static_cast<double>(p.bytes) / p.size * d);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int relative = modulo(v.rank() - a.root, p);
    const EvenBlocks blocks{a.count, p};
    scatter_blocks(v, a, relative, blocks);
    for (int mask = 1; mask < p; mask *= 2) {
      const int partner = relative ^ mask;
      const int mine = relative & -mask;
      const int theirs = partner & -mask;
      const int peer = modulo(partner + a.root, p);
      v.exchange(peer, v.at(a.recv, blocks.offset(mine)), blocks.length(mine, mine + mask), peer,
                 v.at(a.recv, blocks.offset(theirs)), blocks.length(theirs, theirs + mask));
    }
  }
};

}  // namespace cow::coll
