// Some of the ranks as a group of its own: the verbs, renumbered, so that any algorithm can be a part of another.
#pragma once

#include <vector>

#include "base/layout.hpp"
#include "coll/algorithms/parts/common.hpp"
#include "coll/core/nodes.hpp"

namespace cow::coll {

// `ranks` outlives this; this rank may not be one of them, and then only member() makes sense.
template <class V>
class Subgroup {
 public:
  Subgroup(V& v, const std::vector<int>& ranks) : v_(v), ranks_(ranks) {
    const auto found = std::find(ranks.begin(), ranks.end(), v.rank());
    rank_ = found == ranks.end() ? -1 : static_cast<int>(found - ranks.begin());
  }
  // Where it is known which of them this rank is; -1: none.
  Subgroup(V& v, const std::vector<int>& ranks, int rank) : v_(v), ranks_(ranks), rank_(rank) {}

  bool member() const { return rank_ >= 0; }
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(ranks_.size()); }
  const Layout* layout() const { return nullptr; }
  const Nodes* nodes() const { return nullptr; }
  bool commutative() const { return v_.commutative(); }
  Count unit_size() const { return v_.unit_size(); }
  Address at(Address base, Count i) const { return v_.at(base, i); }

  void post_send(int to, Address buffer, Count n) { v_.post_send(rank_of(to), buffer, n); }
  void post_recv(int from, Address buffer, Count n) { v_.post_recv(rank_of(from), buffer, n); }
  void post_empty_send(int to) { v_.post_empty_send(rank_of(to)); }
  void post_empty_recv(int from) { v_.post_empty_recv(rank_of(from)); }
  void step() { v_.step(); }
  void send(int to, Address buffer, Count n) { v_.send(rank_of(to), buffer, n); }
  void recv(int from, Address buffer, Count n) { v_.recv(rank_of(from), buffer, n); }
  void exchange(int to, Address out, Count out_n, int from, Address in, Count in_n) {
    v_.exchange(rank_of(to), out, out_n, rank_of(from), in, in_n);
  }
  void exchange_empty(int to, int from) { v_.exchange_empty(rank_of(to), rank_of(from)); }
  void copy(Address to, Address from, Count n) { v_.copy(to, from, n); }
  void reduce(Address left, Address right, Count n) { v_.reduce(left, right, n); }
  Address scratch(Count n) { return v_.scratch(n); }

 private:
  int rank_of(int member) const { return ranks_[static_cast<std::size_t>(member)]; }

  V& v_;
  const std::vector<int>& ranks_;
  int rank_;
};

// The ranks of this one's node.
template <class V>
Subgroup<V> in_own_node(V& v) {
  const Nodes& nodes = *v.nodes();
  return {v, nodes.ranks(nodes.node(v.rank())), nodes.place(v.rank())};
}
// The first ranks of all nodes.
template <class V>
Subgroup<V> firsts_of_nodes(V& v) {
  const Nodes& nodes = *v.nodes();
  return {v, nodes.firsts(), nodes.place(v.rank()) == 0 ? nodes.node(v.rank()) : -1};
}

// A part of a collective of several nodes among the ranks of this node, a bcast, reduce or gather: on the memory that they
// share, where V has it (a blocking call, see shm/hierarchical.hpp), else by messages as `Inner` does it. Those of which one
// collects and the other spreads what comes of it begin and end at the first rank of the node.
template <class Inner, class V>
void run_in_node(V& v, Subgroup<V>& local, const Args& a) {
  if constexpr (requires { v.on_memory(Inner::collective, a); })
    if (v.on_memory(Inner::collective, a)) return;
  Inner::run(local, a);
}
template <class Inner>
void cost_in_node(Cost& cost, const Problem& p, const Problem& part) {
  if (p.memory == Memory::parts) return cost.on_memory(Inner::collective, part.size, static_cast<double>(part.bytes));
  cost.inside(part.size, [&](Cost& c) { Inner::cost(c, part); });
}

// One rank of each node. Of the node of `root` it is the root, of the others their number `which` (all have so many).
inline std::vector<int> one_a_node(const Nodes& nodes, int which, int root = -1) {
  std::vector<int> out;
  for (int i = 0; i < nodes.count(); ++i) out.push_back(nodes.ranks(i)[static_cast<std::size_t>(which)]);
  if (root >= 0) out[static_cast<std::size_t>(nodes.node(root))] = root;
  return out;
}

// Where in this rank's node its leader is: the root, or the first.
template <class V>
int place_of_leader(V& v, int root) {
  const Nodes& nodes = *v.nodes();
  return nodes.node(root) == nodes.node(v.rank()) ? nodes.place(root) : 0;
}

inline bool two_levels(const Problem& p) { return p.nodes && p.nodes->two_levels(); }
// Nodes one after the other keep the order of the ranks.
inline bool two_levels_in_order(const Problem& p) { return two_levels(p) && (p.commutative || p.nodes->in_order()); }

// The same collective among the ranks of the largest node, or among one rank of each node.
inline Problem in_node(const Problem& p) { return {p.nodes->largest(), p.bytes, p.commutative, nullptr, nullptr}; }
inline Problem between_nodes(const Problem& p) { return {p.nodes->count(), p.bytes, p.commutative, nullptr, nullptr}; }

}  // namespace cow::coll
