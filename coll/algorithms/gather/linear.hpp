// Gather and scatter straight between the root and each rank, all messages at once. The only form of the v variants,
// where no rank but the root knows the sizes. Blocks may be of any type.
//
// When: large blocks: nothing is sent twice or copied.
// Cost: alpha + (p-1) n beta, and half an alpha for each further message at the root.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

template <Collective Kind>
struct Linear {
  static constexpr Collective collective = Kind;
  static constexpr const char* name = "linear";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) { cost.fan(p.size - 1, static_cast<double>(p.bytes)); }
};

// place(i) and count(i): block i at the root.
template <class V, class Place, class CountOf>
void gather_linear(V& v, const Args& a, Place place, CountOf count) {
  if (v.rank() != a.root) return v.send(a.root, a.send, a.count, a.send_type);
  for (int i = 0; i < v.size(); ++i)
    if (i != a.root) v.post_recv(i, place(i), count(i), a.type);
  v.transfer(place(a.root), count(a.root), a.type, a.send, a.count, a.send_type);
  v.step();
}

template <class V, class Place, class CountOf>
void scatter_linear(V& v, const Args& a, Place place, CountOf count) {
  if (v.rank() != a.root) return v.recv(a.root, a.recv, a.count, a.type);
  for (int i = 0; i < v.size(); ++i)
    if (i != a.root) v.post_send(i, place(i), count(i), a.send_type);
  v.transfer(a.recv, a.count, a.type, place(a.root), count(a.root), a.send_type);
  v.step();
}

struct GatherLinear : Linear<Collective::gather> {
  template <class V>
  static void run(V& v, const Args& a) {
    gather_linear(v, a, [&](int i) { return v.at(a.recv, a.count * i); }, [&](int) { return a.count; });
  }
};

struct GathervLinear : Linear<Collective::gatherv> {
  template <class V>
  static void run(V& v, const Args& a) {
    gather_linear(v, a, [&](int i) { return v.at(a.recv, a.displs[i]); }, [&](int i) { return a.counts[i]; });
  }
};

struct ScatterLinear : Linear<Collective::scatter> {
  template <class V>
  static void run(V& v, const Args& a) {
    scatter_linear(v, a, [&](int i) { return v.at(a.send, a.count * i); }, [&](int) { return a.count; });
  }
};

struct ScattervLinear : Linear<Collective::scatterv> {
  template <class V>
  static void run(V& v, const Args& a) {
    scatter_linear(
        v, a, [&](int i) { return v.at(a.send, a.send_displs[i]); }, [&](int i) { return a.send_counts[i]; });
  }
};

}  // namespace cow::coll
