// Broadcast down a chain of ranks in segments, each passed on while the next arrives.
//
// When: the largest messages, few ranks; every rank sends and receives the message once.
// Cost: (p - 2 + k) (alpha + n/k beta) for k segments; neighbours only.
// Source: folklore (pipelining).
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct BcastChain {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "chain";
  static bool valid(const Problem&) { return true; }

  static void cost(Cost& cost, const Problem& p) {
    if (p.size < 2) return;
    const Count segment = std::min(std::max<Count>(p.bytes, 1), pipeline_segment(p.bytes, 1, p.size - 1));
    const Count segments = (std::max<Count>(p.bytes, 1) + segment - 1) / segment;
    cost.shift(1, static_cast<double>(segment), static_cast<int>(p.size - 2 + segments), p.size > 2);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int relative = modulo(v.rank() - a.root, p);
    const int next = modulo(v.rank() + 1, p);
    const int previous = modulo(v.rank() - 1, p);
    const Count segment = pipeline_segment(a.count, 1, p - 1);
    const bool receives = relative > 0;
    const bool sends = relative < p - 1;
    // Segment i arrives while segment i - 1 leaves; the root's segments are there from the start.
    for (Count at = receives ? 0 : segment; at < a.count + segment; at += segment) {
      const Count leaving = at - segment;
      if (receives && at < a.count) v.post_recv(previous, v.at(a.recv, at), std::min(segment, a.count - at));
      if (sends && leaving >= 0) v.post_send(next, v.at(a.recv, leaving), std::min(segment, a.count - leaving));
      v.step();
    }
  }
};

}  // namespace cow::coll
