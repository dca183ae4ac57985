// Buckets around the rings of a torus, in all directions at once. The vector is cut into 2 D parts, a colour each, one
// for each dimension to start in and each direction. A colour's part is reduce-scattered along its first dimension as
// around a ring, what is left along the next, and so on; then collected back in reverse. Only neighbours talk.
//
// "bucket" of allreduce is both halves; on a ring it is the ring algorithm both ways round at once.
//
// When: large vectors on a ring or torus of any extents. Commutative operations.
// Cost: 2 sum(k_i - 1) alpha + 2 (p-1)/p n beta / (2 D); dilation 1; on a torus of equal extents each directed link
// carries one message of each step.
// Source: Jain and Sabharwal, "Optimal bucket algorithms for large MPI collectives on torus interconnects", ICS 2010;
// Chan et al. 2007.
#pragma once

#include <vector>

#include "coll/algorithms/parts/common.hpp"
#include "coll/algorithms/parts/grid.hpp"

namespace cow::coll {

// What one colour does at this rank, step by step.
class BucketColour {
 public:
  struct Move {
    int to;
    int from;
    Count out_at, out_n;
    Count in_at, in_n;
  };
  std::vector<Move> reduce_scatter, allgather;

  BucketColour(const Grid& grid, int rank, int first_dimension, int direction, Count at, Count n) {
    std::vector<Line> lines;
    for (int i = 0; i < grid.dimensions(); ++i) {
      const int d = (first_dimension + i) % grid.dimensions();
      const int k = grid.extent(d);
      const int here = grid.coordinate(rank, d);
      const Line line{k,
                      modulo(direction * here, k),
                      grid.moved(rank, d, here + direction),
                      grid.moved(rank, d, here - direction),
                      at,
                      EvenBlocks{n, k}};
      lines.push_back(line);
      for (int s = 0; s < k - 1; ++s) reduce_scatter.push_back(line.move(line.position - s - 1));
      at += line.blocks.offset(line.position);
      n = line.blocks.length(line.position);
    }
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
      for (int s = 0; s < line->extent - 1; ++s) allgather.push_back(line->move(line->position - s));
  }

 private:
  // The ring of a dimension, seen in the direction of the colour.
  struct Line {
    int extent;
    int position;
    int next;
    int previous;
    Count at;
    EvenBlocks blocks;
    // Block `out` leaves, the one before it arrives.
    Move move(int out) const {
      const int leaving = modulo(out, extent);
      const int arriving = modulo(out - 1, extent);
      return {next,
              previous,
              at + blocks.offset(leaving),
              blocks.length(leaving),
              at + blocks.offset(arriving),
              blocks.length(arriving)};
    }
  };
};

struct AllreduceBucket {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "bucket";
  static bool valid(const Problem& p) {
    return p.commutative && p.size > 1 && p.layout &&
           (p.layout->kind() == Layout::Kind::ring || p.layout->kind() == Layout::Kind::torus);
  }

  static void cost(Cost& cost, const Problem& p) {
    const Grid grid(p.layout, p.size);
    const int colours = 2 * grid.dimensions();
    // In unequal dimensions colours meet on the links of the longest.
    int longest = 0, sum = 0;
    for (int d = 0; d < grid.dimensions(); ++d) {
      longest = std::max(longest, grid.extent(d));
      sum += grid.extent(d) - 1;
    }
    const int load = (longest - 1) * grid.dimensions() > sum ? grid.dimensions() : 1;
    double piece = static_cast<double>(p.bytes) / colours;
    for (int d = 0; d < grid.dimensions(); ++d) {
      piece /= grid.extent(d);
      const int sharing = grid.extent(d) == 2 ? 2 * load : load;  // both ways round are one
      cost.known({1, sharing}, piece, 2 * (grid.extent(d) - 1));
      cost.starts(2 * (grid.extent(d) - 1) * (colours - 1));
      cost.reduce(piece * colours * (grid.extent(d) - 1));
    }
  }

  template <class V>
  static void run(V& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    const Grid grid(v.layout(), v.size());
    const int colours = 2 * grid.dimensions();
    const EvenBlocks parts{a.count, colours};
    std::vector<BucketColour> all;
    for (int c = 0; c < colours; ++c)
      all.emplace_back(grid, v.rank(), c / 2, c % 2 == 0 ? 1 : -1, parts.offset(c), parts.length(c));
    const Address arrived = v.scratch(a.count);
    for (std::size_t s = 0; s < all[0].reduce_scatter.size(); ++s) {
      for (const BucketColour& c : all) post(v, c.reduce_scatter[s], a.recv, arrived);
      v.step();
      for (const BucketColour& c : all) {
        const BucketColour::Move& m = c.reduce_scatter[s];
        v.reduce(v.at(arrived, m.in_at), v.at(a.recv, m.in_at), m.in_n);
      }
    }
    for (std::size_t s = 0; s < all[0].allgather.size(); ++s) {
      for (const BucketColour& c : all) post(v, c.allgather[s], a.recv, a.recv);
      v.step();
    }
  }

 private:
  template <class V>
  static void post(V& v, const BucketColour::Move& m, Address from, Address into) {
    v.post_recv(m.from, v.at(into, m.in_at), m.in_n);
    v.post_send(m.to, v.at(from, m.out_at), m.out_n);
  }
};

}  // namespace cow::coll
