// Gather and scatter in two levels: among the ranks of each node, and between one rank of each node, its leader. The leader of
// the root's node is the root.
//
// When: several nodes with several ranks each; small blocks: a node sends or receives one message. In blocking calls the parts
// inside of nodes go by memory, without messages.
// Cost: that of a binomial tree inside of a node, or of memory, and alpha + n beta for the other nodes' blocks at the root's.
// Source: Karonis et al., "Exploiting hierarchy in parallel computer networks", IPDPS 2000.
#pragma once

#include "coll/algorithms/gather/binomial.hpp"
#include "coll/algorithms/parts/subgroup.hpp"

namespace cow::coll {

// The blocks of all ranks, node by node: in the buffer of all, where that is the ranks' order, else packed in scratch.
template <class V>
class BlocksOfNodes {
 public:
  // `whole`: this rank is the root, which has the buffer.
  BlocksOfNodes(V& v, const Args& a, Address buffer, bool whole)
      : v_(v), a_(a), nodes_(*v.nodes()), buffer_(buffer), packed_(whole && !nodes_.in_order()),
        place_(packed_ ? v.scratch(a.count * v.size()) : buffer) {}

  Count length(int node) const { return a_.count * static_cast<Count>(nodes_.ranks(node).size()); }
  Address at(int node) const {
    Count before = 0;
    for (int i = 0; i < node; ++i) before += length(i);
    return v_.at(place_, before);
  }
  void pack() const {
    each([&](Address packed, Address own) { v_.copy(packed, own, a_.count); });
  }
  void unpack() const {
    each([&](Address packed, Address own) { v_.copy(own, packed, a_.count); });
  }

 private:
  template <class Do>
  void each(Do todo) const {
    Count at = 0;
    for (int i = 0; packed_ && i < nodes_.count(); ++i)
      for (const int rank : nodes_.ranks(i)) todo(v_.at(place_, a_.count * at++), v_.at(buffer_, a_.count * rank));
  }

  V& v_;
  const Args& a_;
  const Nodes& nodes_;
  const Address buffer_;
  const bool packed_;
  const Address place_;
};

inline void cost_rooted_nodes(Cost& cost, const Problem& p) {
  const auto others = static_cast<double>(p.bytes) * p.nodes->largest();
  cost.between(1, [&](Cost& c) { c.fan(p.nodes->count() - 1, others); });
  if (!p.nodes->in_order()) cost.copy(static_cast<double>(p.bytes) * p.size);
}

struct HierarchicalGather {
  static constexpr Collective collective = Collective::gather;
  static constexpr const char* name = "hierarchical";
  static constexpr bool parts_on_memory = true;
  static bool valid(const Problem& p) { return two_levels(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_in_node<GatherBinomial>(cost, p, in_node(p));
    cost_rooted_nodes(cost, p);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    const bool is_root = v.rank() == a.root;
    Subgroup local = in_own_node(v);
    Args part = a;
    part.root = place_of_leader(v, a.root);
    const BlocksOfNodes<V> blocks(v, a, a.recv, is_root);
    const bool leads = local.rank() == part.root;
    if (leads) part.recv = is_root ? blocks.at(node) : v.scratch(blocks.length(node));
    if (local.size() > 1)
      run_in_node<GatherBinomial>(v, local, part);
    else
      v.copy(part.recv, a.send, a.count);
    if (!is_root) {
      if (leads) v.send(a.root, part.recv, blocks.length(node));
      return;
    }
    for (int i = 0; i < nodes.count(); ++i)
      if (i != node) v.post_recv(nodes.firsts()[static_cast<std::size_t>(i)], blocks.at(i), blocks.length(i));
    v.step();
    blocks.unpack();
  }
};

struct HierarchicalScatter {
  static constexpr Collective collective = Collective::scatter;
  static constexpr const char* name = "hierarchical";
  static constexpr bool parts_on_memory = true;
  static bool valid(const Problem& p) { return two_levels(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_rooted_nodes(cost, p);
    cost_in_node<ScatterBinomial>(cost, p, in_node(p));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    const bool is_root = v.rank() == a.root;
    Subgroup local = in_own_node(v);
    Args part = a;
    part.root = place_of_leader(v, a.root);
    const BlocksOfNodes<V> blocks(v, a, a.send, is_root);
    if (is_root) {
      blocks.pack();
      for (int i = 0; i < nodes.count(); ++i)
        if (i != node) v.post_send(nodes.firsts()[static_cast<std::size_t>(i)], blocks.at(i), blocks.length(i));
      part.send = blocks.at(node);
    } else if (local.rank() == part.root) {
      part.send = v.scratch(blocks.length(node));
      v.post_recv(a.root, part.send, blocks.length(node));
    }
    v.step();
    if (local.size() > 1)
      run_in_node<ScatterBinomial>(v, local, part);
    else
      v.copy(a.recv, part.send, a.count);
  }
};

}  // namespace cow::coll
