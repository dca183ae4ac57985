// Allgather of equal or given blocks: around a ring, by recursive doubling, by Bruck's algorithm, by neighbour
// exchange. One text for MPI_Allgather and MPI_Allgatherv (Bruck: equal blocks only).
//
//   ring       p - 1 steps of one block, neighbours only, any p: the largest blocks
//   doubling   log2 p steps, blocks double, p a power of two: small blocks
//   bruck      ceil(log2 p) steps, any p, and two copies of the result: small blocks
//   neighbour  p/2 steps of two blocks, neighbours only, p even: half the steps of the ring
// Cost: each moves (p-1) n beta for blocks of n bytes.
// Sources: Thakur, Rabenseifner, Gropp, IJHPCA 2005; Bruck et al., IEEE TPDS 1997; Chen, Zhang, Zhang, Shen, HPC Asia
// 2005 (neighbour exchange).
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct RingWay {
  static constexpr const char* name = "ring";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { cost.shift(1, static_cast<double>(p.bytes), p.size - 1); }
  template <class V, class Blocks>
  static void spread(V& v, Address buffer, const Blocks& blocks) {
    const int p = v.size();
    ring_allgather(v, v.rank(), modulo(v.rank() + 1, p), modulo(v.rank() - 1, p), buffer, blocks);
  }
};

struct DoublingWay {
  static constexpr const char* name = "doubling";
  static bool valid(const Problem& p) { return power_of_two(p.size); }
  static void cost(Cost& cost, const Problem& p) {
    for (int mask = 1; mask < p.size; mask *= 2) cost.exchange(mask, static_cast<double>(p.bytes) * mask);
  }
  // Given blocks may lie anywhere, so each is a message of its own within the step unless they lie side by side.
  template <class V, class Blocks>
  static void spread(V& v, Address buffer, const Blocks& blocks) {
    for (int mask = 1; mask < v.size(); mask *= 2) {
      const int partner = v.rank() ^ mask;
      runs(blocks, partner & -mask, mask,
           [&](int i, Count n) { v.post_recv(partner, v.at(buffer, blocks.offset(i)), n); });
      runs(blocks, v.rank() & -mask, mask,
           [&](int i, Count n) { v.post_send(partner, v.at(buffer, blocks.offset(i)), n); });
      v.step();
    }
  }

 private:
  // Sizes of messages must not depend on where one rank's displacements put the blocks: only equal blocks are joined.
  template <class Visit>
  static void runs(const EqualBlocks& blocks, int first, int n, Visit visit) {
    visit(first, blocks.length(first, first + n));
  }
  template <class Visit>
  static void runs(const GivenBlocks& blocks, int first, int n, Visit visit) {
    for (int i = first; i < first + n; ++i) visit(i, blocks.length(i));
  }
};

struct NeighbourWay {
  static constexpr const char* name = "neighbour";
  static bool valid(const Problem& p) { return p.size % 2 == 0; }
  static void cost(Cost& cost, const Problem& p) {
    cost.exchange(1, static_cast<double>(p.bytes));
    cost.shift(1, 2 * static_cast<double>(p.bytes), p.size / 2 - 1);
  }
  // Pairs (2i, 2i + 1) travel together: outwards to both sides in turn, each step handing on the pair received last.
  template <class V, class Blocks>
  static void spread(V& v, Address buffer, const Blocks& blocks) {
    const int p = v.size();
    const int r = v.rank();
    const bool even = r % 2 == 0;
    const int side[2] = {modulo(even ? r + 1 : r - 1, p), modulo(even ? r - 1 : r + 1, p)};
    const int move[2] = {even ? 2 : -2, even ? -2 : 2};
    v.exchange(side[0], v.at(buffer, blocks.offset(r)), blocks.length(r), side[0], v.at(buffer, blocks.offset(side[0])),
               blocks.length(side[0]));
    int pair_out = even ? r : side[0];
    int pair_in[2] = {pair_out, pair_out};
    for (int s = 1; s < p / 2; ++s) {
      const int way = s % 2;
      pair_in[way] = modulo(pair_in[way] + move[way], p);
      for (int i = 0; i < 2; ++i) {
        const int in = pair_in[way] + i;
        const int out = pair_out + i;
        v.post_recv(side[way], v.at(buffer, blocks.offset(in)), blocks.length(in));
        v.post_send(side[way], v.at(buffer, blocks.offset(out)), blocks.length(out));
      }
      v.step();
      pair_out = pair_in[way];
    }
  }
};

// Two ranks trade their blocks, whatever the way. The other is sent the program's block and not the fresh copy of it, which
// stands in the cache of this processor: fetched from there it took four times as long where the two share none.
template <class V, class Blocks>
void trade(V& v, Address own, Address buffer, const Blocks& blocks) {
  const int r = v.rank(), other = 1 - r;
  v.exchange(other, own, blocks.length(r), other, v.at(buffer, blocks.offset(other)), blocks.length(other));
  v.copy(v.at(buffer, blocks.offset(r)), own, blocks.length(r));
}

template <class Way>
struct Allgather : Way {
  static constexpr Collective collective = Collective::allgather;
  template <class V>
  static void run(V& v, const Args& a) {
    if (v.size() == 2) return trade(v, a.send, a.recv, EqualBlocks{a.count});
    v.copy(v.at(a.recv, a.count * v.rank()), a.send, a.count);
    Way::spread(v, a.recv, EqualBlocks{a.count});
  }
};

template <class Way>
struct Allgatherv : Way {
  static constexpr Collective collective = Collective::allgatherv;
  template <class V>
  static void run(V& v, const Args& a) {
    const GivenBlocks blocks{a.counts, a.displs};
    if (v.size() == 2) return trade(v, a.send, a.recv, blocks);
    v.copy(v.at(a.recv, blocks.offset(v.rank())), a.send, blocks.length(v.rank()));
    Way::spread(v, a.recv, blocks);
  }
};

struct AllgatherBruck {
  static constexpr Collective collective = Collective::allgather;
  static constexpr const char* name = "bruck";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    for (int d = 1; d < p.size; d *= 2) cost.shift(-d, static_cast<double>(p.bytes) * std::min(d, p.size - d));
    cost.copy(static_cast<double>(p.bytes) * p.size);
  }
  // scratch[i] is the block of rank + i; rank 0 has them in place.
  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int r = v.rank();
    const Address blocks = r == 0 ? a.recv : v.scratch(a.count * p);
    v.copy(blocks, a.send, a.count);
    for (int d = 1; d < p; d *= 2) {
      const Count n = a.count * std::min(d, p - d);
      v.exchange(modulo(r - d, p), blocks, n, modulo(r + d, p), v.at(blocks, a.count * d), n);
    }
    if (r == 0) return;
    v.copy(v.at(a.recv, a.count * r), blocks, a.count * (p - r));
    v.copy(a.recv, v.at(blocks, a.count * (p - r)), a.count * r);
  }
};

}  // namespace cow::coll
