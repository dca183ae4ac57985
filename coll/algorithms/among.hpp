// Some of the ranks as a group of its own: the verbs, renumbered, so that any algorithm can be a part of another.
#pragma once

#include <vector>

#include "base/layout.hpp"
#include "coll/algorithms/common.hpp"
#include "coll/nodes.hpp"

namespace cow::coll {

// `ranks` outlives this; this rank may not be one of them, and then only member() makes sense.
template <class V>
class Among {
 public:
  Among(V& v, const std::vector<int>& ranks) : v_(v), ranks_(ranks) {
    const auto found = std::find(ranks.begin(), ranks.end(), v.rank());
    rank_ = found == ranks.end() ? -1 : static_cast<int>(found - ranks.begin());
  }

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

// One rank of each node. Of the node of `root` it is the root, of the others their number `which` (all have so many).
inline std::vector<int> one_a_node(const Nodes& nodes, int which, int root = -1) {
  std::vector<int> out;
  for (int i = 0; i < nodes.count(); ++i) out.push_back(nodes.ranks(i)[static_cast<std::size_t>(which)]);
  if (root >= 0) out[static_cast<std::size_t>(nodes.node(root))] = root;
  return out;
}

inline int place_of(int rank, const std::vector<int>& ranks) {
  return static_cast<int>(std::find(ranks.begin(), ranks.end(), rank) - ranks.begin());
}

inline bool two_levels(const Problem& p) { return p.nodes && p.nodes->two_levels(); }
// Nodes one after the other keep the order of the ranks.
inline bool two_levels_in_order(const Problem& p) { return two_levels(p) && (p.commutative || p.nodes->in_order()); }

// The same collective among the ranks of the largest node, or among one rank of each node.
inline Problem in_node(const Problem& p) { return {p.nodes->largest(), p.bytes, p.commutative, nullptr, nullptr}; }
inline Problem between_nodes(const Problem& p) { return {p.nodes->count(), p.bytes, p.commutative, nullptr, nullptr}; }

}  // namespace cow::coll
