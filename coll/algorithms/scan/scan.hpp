// Prefix sums: by doubling (in step k rank r sends what it has to r + 2^k), or down the chain of ranks in segments.
// Both keep the order. One text for the inclusive and the exclusive form, which first hands every vector one rank up.
//
//   doubling  ceil(log2 p) (alpha + n (beta + gamma)): small vectors
//   chain     (p - 1 + k) (alpha + n/k (beta + gamma)) for k segments: large vectors
// Source: Hillis and Steele, "Data parallel algorithms", CACM 1986; the chain is folklore.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

inline void cost_scan_doubling(Cost& cost, const Problem& p) {
  for (int d = 1; d < p.size; d *= 2) {
    cost.shift(d, static_cast<double>(p.bytes));
    cost.reduce(static_cast<double>(p.bytes));
  }
}

// `sum` holds the vector of ranks first … ; ends as the sum over first … rank.
template <class V>
void scan_doubling(V& v, int first, Address sum, Count n) {
  const int p = v.size();
  const int r = v.rank();
  const Address arrived = r > first ? v.scratch(n) : 0;
  for (int d = 1; d < p - first; d *= 2) {
    if (r - d >= first) v.post_recv(r - d, arrived, n);
    if (r + d < p) v.post_send(r + d, sum, n);
    v.step();
    if (r - d >= first) v.reduce(arrived, sum, n);
  }
}

struct ScanDoubling {
  static constexpr Collective collective = Collective::scan;
  static constexpr const char* name = "doubling";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { cost_scan_doubling(cost, p); }
  template <class V>
  static void run(V& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    scan_doubling(v, 0, a.recv, a.count);
  }
};

struct ExscanDoubling {
  static constexpr Collective collective = Collective::exscan;
  static constexpr const char* name = "doubling";
  static constexpr bool fixed_order = true;
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    if (p.size > 1) cost.shift(1, static_cast<double>(p.bytes));
    cost_scan_doubling(cost, p);
  }
  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int r = v.rank();
    // In place, the neighbour's vector would overwrite ours before it has left.
    const Address arrived = r > 0 && a.send == a.recv ? v.scratch(a.count) : a.recv;
    if (r > 0) v.post_recv(r - 1, arrived, a.count);
    if (r < p - 1) v.post_send(r + 1, a.send, a.count);
    v.step();
    if (r == 0) return;
    v.copy(a.recv, arrived, a.count);
    scan_doubling(v, 1, a.recv, a.count);
  }
};

template <Collective which>
struct ScanChain {
  static constexpr Collective collective = which;
  static constexpr const char* name = "chain";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    if (p.size < 2) return;
    const Count bytes = std::max<Count>(p.bytes, 1);
    const Count segment = std::min(bytes, segment_of(bytes, 1, p.size));
    const int steps = static_cast<int>(p.size - 1 + (bytes + segment - 1) / segment);
    cost.shift(1, static_cast<double>(segment), steps);
    cost.reduce(static_cast<double>(segment) * steps);
  }
  // Segment i arrives from below, is added to our own on its right, and leaves upwards while the next arrives.
  template <class V>
  static void run(V& v, const Args& a) {
    constexpr bool inclusive = which == Collective::scan;
    const int p = v.size();
    const int r = v.rank();
    const Count segment = segment_of(a.count * v.unit_size(), v.unit_size(), p);
    const Count segments = (a.count + segment - 1) / segment;
    const bool passes_on = r < p - 1;
    // What leaves: the inclusive sum, which for the exclusive form is not our result.
    const Address sum = inclusive ? a.recv : r > 0 && passes_on ? v.scratch(a.count) : a.send;
    if (inclusive || (r > 0 && passes_on)) v.copy(sum, a.send, a.count);
    const Address arrived = inclusive ? (r > 0 ? v.scratch(a.count) : 0) : a.recv;
    for (Count i = 0; i <= segments; ++i) {
      if (r > 0 && i < segments) v.post_recv(r - 1, v.at(arrived, i * segment), length(a, segment, i));
      if (passes_on && i > 0) v.post_send(r + 1, v.at(sum, (i - 1) * segment), length(a, segment, i - 1));
      v.step();
      if (r > 0 && i < segments && (inclusive || passes_on))
        v.reduce(v.at(arrived, i * segment), v.at(sum, i * segment), length(a, segment, i));
    }
  }

 private:
  // Twice as long as others: it is reduced, too, between arriving and leaving, and ranks that share processors switch less.
  static Count segment_of(Count bytes, Count unit_size, int ranks) {
    return pipeline_segment(4 * bytes, unit_size, ranks - 1);
  }
  static Count length(const Args& a, Count segment, Count i) { return std::min(segment, a.count - i * segment); }
};

}  // namespace cow::coll
