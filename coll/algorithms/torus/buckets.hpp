// Allgather and reduce-scatter around the rings of a torus, in all directions at once. Every block is cut into 2 D
// parts, a colour each: one for each dimension to start in and each direction. A colour collects blocks along its first
// dimension as around a ring, then lines of them along the next, and so on; the reduce-scatter is the same backwards.
// Only neighbours talk. Each colour works in scratch, in which blocks lie in the order of its dimensions (the first
// counts fastest), so that what travels is always one piece.
//
// When: large blocks on a ring or torus of any extents. The reduce-scatter: commutative operations.
// Cost: sum(k_i - 1) alpha + (p-1) n beta / (2 D) for blocks of n bytes, and two copies of the whole; dilation 1; on a
// torus of equal extents each directed link carries one message of each step.
// Source: Jain and Sabharwal, "Optimal bucket algorithms for large MPI collectives on torus interconnects", ICS 2010;
// Chan et al. 2007.
#pragma once

#include <vector>

#include "coll/algorithms/parts/common.hpp"
#include "coll/algorithms/parts/grid.hpp"

namespace cow::coll {

// Where one colour's parts of all blocks lie, and what moves in each step at this rank.
template <class Blocks>
class TorusBuckets {
 public:
  struct Move {
    int to, from;
    Count out_at, out_n, in_at, in_n;
  };

  TorusBuckets(const Grid& grid, const Blocks& blocks, int size, int rank, int colour)
      : grid_(grid), blocks_(blocks), size_(size), rank_(rank), colour_(colour) {
    const auto ranks = static_cast<std::size_t>(size);
    rank_at_.resize(ranks);
    for (int r = 0; r < size; ++r) rank_at_[static_cast<std::size_t>(slot_of(r))] = r;
    start_.push_back(0);
    for (int r : rank_at_) start_.push_back(start_.back() + part(r).n);
  }

  struct Part {
    Count at;  // in the user's buffer
    Count n;
  };
  Part part(int rank) const {
    const EvenBlocks parts{blocks_.length(rank), 2 * grid_.dimensions()};
    return {blocks_.offset(rank) + parts.offset(colour_), parts.length(colour_)};
  }
  Count total() const { return start_.back(); }
  Count place(int rank) const { return start(slot_of(rank)); }

  // Steps of the allgather; the reduce-scatter goes through them from the last to the first, the other way.
  std::vector<Move> moves() const {
    std::vector<Move> out;
    int line = 1;  // slots that are complete
    for (int i = 0; i < grid_.dimensions(); ++i) {
      const int d = dimension(i);
      const int k = grid_.extent(d);
      const int here = grid_.coordinate(rank_, d);
      const int first = slot_of(rank_) / (line * k) * (line * k);
      const auto group = [&](int coordinate) { return first + modulo(coordinate, k) * line; };
      const int next = grid_.moved(rank_, d, here + direction());
      const int previous = grid_.moved(rank_, d, here - direction());
      for (int s = 0; s < k - 1; ++s) {
        const int leaving = group(here - direction() * s);
        const int arriving = group(here - direction() * (s + 1));
        out.push_back({next, previous, start(leaving), start(leaving + line) - start(leaving), start(arriving),
                       start(arriving + line) - start(arriving)});
      }
      line *= k;
    }
    return out;
  }

 private:
  int dimension(int i) const { return (colour_ / 2 + i) % grid_.dimensions(); }
  int direction() const { return colour_ % 2 == 0 ? 1 : -1; }
  Count start(int slot) const { return start_[static_cast<std::size_t>(slot)]; }
  int slot_of(int rank) const {
    int slot = 0;
    for (int i = grid_.dimensions() - 1; i >= 0; --i)
      slot = slot * grid_.extent(dimension(i)) + grid_.coordinate(rank, dimension(i));
    return slot;
  }

  const Grid& grid_;
  const Blocks blocks_;
  const int size_;
  const int rank_;
  const int colour_;
  std::vector<int> rank_at_;  // by slot
  std::vector<Count> start_;  // by slot, and the end
};

// The cost of one pass; `bytes` of a block.
inline void cost_torus_bucket(Cost& cost, const Problem& p, double block) {
  const Grid grid(p.layout, p.size);
  const int colours = 2 * grid.dimensions();
  int longest = 0, sum = 0;
  for (int extent : grid.extents) longest = std::max(longest, extent), sum += extent - 1;
  const int load = (longest - 1) * grid.dimensions() > sum ? grid.dimensions() : 1;
  double piece = block / colours;
  for (int extent : grid.extents) {
    cost.known({1, extent == 2 ? 2 * load : load}, piece, extent - 1);
    cost.starts((extent - 1) * (colours - 1));
    piece *= extent;
  }
}

inline bool torus_bucket_applies(const Problem& p) {
  return p.size > 1 && p.layout && (p.layout->kind() == Layout::Kind::ring || p.layout->kind() == Layout::Kind::torus);
}

// All colours of one rank, with room for what they work on.
template <class V, class Blocks>
struct TorusBucketRun {
  V& v;
  const Grid grid;
  std::vector<TorusBuckets<Blocks>> colours;
  std::vector<std::vector<typename TorusBuckets<Blocks>::Move>> moves;
  std::vector<Address> rooms;

  TorusBucketRun(V& verbs, const Blocks& blocks) : v(verbs), grid(v.layout(), v.size()) {
    for (int c = 0; c < 2 * grid.dimensions(); ++c) {
      colours.emplace_back(grid, blocks, v.size(), v.rank(), c);
      moves.push_back(colours.back().moves());
      rooms.push_back(v.scratch(colours.back().total()));
    }
  }
  TorusBucketRun(const TorusBucketRun&) = delete;
  TorusBucketRun& operator=(const TorusBucketRun&) = delete;

  std::size_t steps() const { return moves[0].size(); }
  // visit(colour, room)
  template <class Visit>
  void each(Visit visit) {
    for (std::size_t c = 0; c < colours.size(); ++c) visit(colours[c], rooms[c]);
  }
};

struct BucketWay {
  static constexpr const char* name = "bucket";
  static bool valid(const Problem& p) { return torus_bucket_applies(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_torus_bucket(cost, p, static_cast<double>(p.bytes));
    cost.copy(static_cast<double>(p.bytes) * p.size);
  }
  template <class V, class Blocks>
  static void spread(V& v, Address buffer, const Blocks& blocks) {
    TorusBucketRun run(v, blocks);
    const int own = v.rank();
    run.each([&](auto& colour, Address room) {
      v.copy(v.at(room, colour.place(own)), v.at(buffer, colour.part(own).at), colour.part(own).n);
    });
    for (std::size_t s = 0; s < run.steps(); ++s) {
      for (std::size_t c = 0; c < run.colours.size(); ++c) {
        const auto& m = run.moves[c][s];
        v.post_recv(m.from, v.at(run.rooms[c], m.in_at), m.in_n);
        v.post_send(m.to, v.at(run.rooms[c], m.out_at), m.out_n);
      }
      v.step();
    }
    run.each([&](auto& colour, Address room) {
      for (int r = 0; r < v.size(); ++r)
        if (r != own) v.copy(v.at(buffer, colour.part(r).at), v.at(room, colour.place(r)), colour.part(r).n);
    });
  }
};

struct ScatterBucket {
  static constexpr const char* name = "bucket";
  static bool valid(const Problem& p) { return p.commutative && torus_bucket_applies(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_torus_bucket(cost, p, static_cast<double>(p.bytes) / p.size);
    cost.reduce(static_cast<double>(p.bytes));
    cost.copy(static_cast<double>(p.bytes));
  }
  // The allgather's moves backwards: what was sent is received and added.
  template <class V, class Blocks>
  static void spread(V& v, const Args& a, const Blocks& blocks, Count) {
    TorusBucketRun run(v, blocks);
    run.each([&](auto& colour, Address room) {
      for (int r = 0; r < v.size(); ++r)
        v.copy(v.at(room, colour.place(r)), v.at(a.send, colour.part(r).at), colour.part(r).n);
    });
    std::vector<Address> arrived;
    run.each([&](auto& colour, Address) { arrived.push_back(v.scratch(colour.total())); });
    for (std::size_t s = run.steps(); s-- > 0;) {
      for (std::size_t c = 0; c < run.colours.size(); ++c) {
        const auto& m = run.moves[c][s];
        v.post_recv(m.to, v.at(arrived[c], m.out_at), m.out_n);
        v.post_send(m.from, v.at(run.rooms[c], m.in_at), m.in_n);
      }
      v.step();
      for (std::size_t c = 0; c < run.colours.size(); ++c) {
        const auto& m = run.moves[c][s];
        v.reduce(v.at(arrived[c], m.out_at), v.at(run.rooms[c], m.out_at), m.out_n);
      }
    }
    const Count first = blocks.offset(v.rank());
    run.each([&](auto& colour, Address room) {
      const auto part = colour.part(v.rank());
      v.copy(v.at(a.recv, part.at - first), v.at(room, colour.place(v.rank())), part.n);
    });
  }
};

}  // namespace cow::coll
