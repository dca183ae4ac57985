// Reduction along the chain of ranks towards the root, in segments. Where the order counts, from the last rank to the
// first, which passes the vector on to the root when it is not the root itself.
//
// When: the largest vectors; each rank reduces and sends the vector once.
// Cost: (p - 2 + k) (alpha + n/k (beta + gamma)) for k segments, and where the order counts a step of n beta.
// Source: folklore (pipelining).
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct ReduceChain {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "chain";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    if (p.size < 2) return;
    const Count bytes = std::max<Count>(p.bytes, 1);
    const Count segment = std::min(bytes, pipeline_segment(bytes, 1, p.size - 1));
    const Count segments = (bytes + segment - 1) / segment;
    cost.shift(-1, static_cast<double>(segment), static_cast<int>(p.size - 2 + segments), p.size > 2);
    cost.reduce(static_cast<double>(segment) * static_cast<double>(p.size - 2 + segments));
    if (!p.commutative) cost.shift(1, static_cast<double>(bytes));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int end = v.commutative() ? a.root : 0;  // of the chain
    const int r = (v.rank() - end + p) % p;        // steps from there
    const auto rank_at = [&](int steps) { return (steps + end) % p; };
    const bool has_result = v.rank() == a.root;
    if (p == 1) return v.copy(a.recv, a.send, a.count);
    // What arrives would overwrite our own part if the two were one buffer.
    const Address sum = r == 0 && has_result && a.recv != a.send ? a.recv : v.scratch(a.count);
    const Count segment = pipeline_segment(a.count * v.unit_size(), v.unit_size(), p - 1);
    const Count segments = (a.count + segment - 1) / segment;
    const auto length = [&](Count i) { return std::min(segment, a.count - i * segment); };
    // Sum of this rank and all behind it: theirs arrive in `sum`, ours come in from the left.
    for (Count i = 0; i <= segments; ++i) {
      if (r < p - 1 && i < segments) v.post_recv(rank_at(r + 1), v.at(sum, i * segment), length(i));
      const Address ready = v.at(r < p - 1 ? sum : a.send, (i - 1) * segment);
      if (r > 0 && i > 0) v.post_send(rank_at(r - 1), ready, length(i - 1));
      v.step();
      if (r < p - 1 && i < segments) v.reduce(v.at(a.send, i * segment), v.at(sum, i * segment), length(i));
    }
    if (a.root == end) {
      if (has_result) v.copy(a.recv, sum, a.count);
      return;
    }
    if (r == 0) v.send(a.root, sum, a.count);
    if (has_result) v.recv(end, a.recv, a.count);
  }
};

}  // namespace cow::coll
