// Gather and scatter of equal blocks over a binomial tree. A subtree's blocks are consecutive when counted from the
// root; the root turns them into place.
//
// When: small blocks: log2 p steps where the linear form has p - 1 messages at the root.
// Cost: ceil(log2 p) alpha + (p-1) n beta for blocks of n bytes.
// Source: folklore; Chan, Heimlich, Purkayastha, van de Geijn, 2007.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// The number of ranks in the subtree of a position counted from the root.
inline int subtree(int position, int size) {
  const int span = position == 0 ? size : position & -position;
  return std::min(span, size - position);
}

inline void cost_binomial_blocks(Cost& cost, const Problem& p) {
  for (int d = 1; d < p.size; d *= 2) cost.tree(d, static_cast<double>(p.bytes) * std::min(d, p.size - d));
}

struct GatherBinomial {
  static constexpr Collective collective = Collective::gather;
  static constexpr const char* name = "binomial";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    cost_binomial_blocks(cost, p);
    cost.copy(static_cast<double>(p.bytes) * p.size);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int position = modulo(v.rank() - a.root, p);
    const int below = subtree(position, p);
    if (position != 0 && below == 1) return v.send(modulo(parent(position) + a.root, p), a.send, a.count);
    // Block i of `blocks` is that of position + i; at root 0 that is its place already.
    const bool in_place = v.rank() == a.root && a.root == 0;
    const Address blocks = in_place ? a.recv : v.scratch(a.count * below);
    const Address own = v.rank() == a.root ? v.at(a.recv, a.count * a.root) : blocks;
    v.copy(own, a.send, a.count);
    for (int mask = 1; mask < below; mask *= 2) {
      const int child = position + mask;
      v.recv(modulo(child + a.root, p), v.at(blocks, a.count * mask), a.count * subtree(child, p));
    }
    if (position != 0) return v.send(modulo(parent(position) + a.root, p), blocks, a.count * below);
    if (in_place) return;
    v.copy(v.at(a.recv, a.count * (a.root + 1)), v.at(blocks, a.count), a.count * (p - a.root - 1));
    v.copy(a.recv, v.at(blocks, a.count * (p - a.root)), a.count * a.root);
  }

  static int parent(int position) { return position & (position - 1); }
};

struct ScatterBinomial {
  static constexpr Collective collective = Collective::scatter;
  static constexpr const char* name = "binomial";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { GatherBinomial::cost(cost, p); }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int position = modulo(v.rank() - a.root, p);
    const int below = subtree(position, p);
    const int parent = modulo(GatherBinomial::parent(position) + a.root, p);
    if (position != 0 && below == 1) return v.recv(parent, a.recv, a.count);
    Address blocks = a.send;
    if (position != 0 || a.root != 0) blocks = v.scratch(a.count * below);
    if (position != 0) {
      v.recv(parent, blocks, a.count * below);
      v.copy(a.recv, blocks, a.count);
    } else {
      v.copy(a.recv, v.at(a.send, a.count * a.root), a.count);
      if (a.root != 0) {
        v.copy(v.at(blocks, a.count), v.at(a.send, a.count * (a.root + 1)), a.count * (p - a.root - 1));
        v.copy(v.at(blocks, a.count * (p - a.root)), a.send, a.count * a.root);
      }
    }
    int mask = 1;
    while (mask < below) mask *= 2;
    for (mask /= 2; mask > 0; mask /= 2) {
      const int child = position + mask;
      v.send(modulo(child + a.root, p), v.at(blocks, a.count * mask), a.count * subtree(child, p));
    }
  }
};

}  // namespace cow::coll
