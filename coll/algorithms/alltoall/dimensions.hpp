// All-to-all dimension by dimension on a grid or hypercube: in each dimension a rank exchanges, with every rank of its
// line, all blocks that have to go to that coordinate.
//
// Block slots are numbered by the coordinates of a rank. At first they mean the destination; after the exchange in a
// dimension that coordinate means the source. What leaves for coordinate x and what arrives from there use the same
// slots.
//
// When: small blocks on a torus, mesh or hypercube: sum(k_i - 1) messages along lines instead of p - 1 across all.
// Cost: sum over the dimensions of (k_i - 1) (alpha + n p/k_i beta) for blocks of n bytes, and D copies of everything;
// on a hypercube d (alpha + n p/2 beta). Source: Johnsson and Ho 1989 (hypercube); Suh and Shin, "All-to-all
// personalized communication in multidimensional torus and mesh networks", IEEE TPDS 2001.
#pragma once

#include "coll/algorithms/parts/common.hpp"
#include "coll/algorithms/parts/grid.hpp"

namespace cow::coll {

struct AlltoallDimensions {
  static constexpr Collective collective = Collective::alltoall;
  static constexpr const char* name = "dimensions";
  static bool valid(const Problem& p) { return p.layout && Grid(p.layout, p.size).dimensions() >= 2; }

  static void cost(Cost& cost, const Problem& p) {
    const Grid grid(p.layout, p.size);
    for (int d = 0; d < grid.dimensions(); ++d) {
      const double bytes = static_cast<double>(p.bytes) * p.size / grid.extent(d);
      for (int s = 1; s < grid.extent(d); ++s) {
        Traffic traffic = cost.flat();
        if (cost.patterns())
          traffic = cost.patterns()->of(pattern_name(PatternName::dimension, d << 24 | s),
                                        [&](int rank, std::vector<int>& out) {
                                          out.push_back(grid.moved(rank, d, grid.coordinate(rank, d) + s));
                                        });
        cost.known(traffic, bytes);
      }
      cost.copy(2 * static_cast<double>(p.bytes) * p.size);
    }
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const Grid grid(v.layout(), p);
    const Address out = v.scratch(a.count * p);
    const Address in = v.scratch(a.count * p);
    v.copy(a.recv, a.send, a.count * p);
    for (int d = 0; d < grid.dimensions(); ++d) {
      const int k = grid.extent(d);
      const int here = grid.coordinate(v.rank(), d);
      const Count line = a.count * (p / k);
      for (int s = 1; s < k; ++s) {
        const int to = modulo(here + s, k);
        const int from = modulo(here - s, k);
        int at = 0;
        each_slot(grid, p, d, to,
                  [&](int slot) { v.copy(v.at(out, a.count * at++), v.at(a.recv, a.count * slot), a.count); });
        v.exchange(grid.moved(v.rank(), d, to), out, line, grid.moved(v.rank(), d, from), v.at(in, line * from), line);
      }
      for (int x = 0; x < k; ++x) {
        int at = 0;
        if (x == here) continue;
        each_slot(grid, p, d, x, [&](int slot) {
          v.copy(v.at(a.recv, a.count * slot), v.at(in, line * x + a.count * at++), a.count);
        });
      }
    }
  }

 private:
  template <class Visit>
  static void each_slot(const Grid& grid, int p, int dimension, int coordinate, Visit visit) {
    for (int slot = 0; slot < p; ++slot)
      if (grid.coordinate(slot, dimension) == coordinate) visit(slot);
  }
};

}  // namespace cow::coll
