// Barrier, broadcast and reduction in two levels: among the ranks of each node, and between one rank of each node, the
// node's head. The head of the root's node is the root.
//
//   "nodes"        trees at both levels: small messages
//   "nodes_large"  broadcast by scatter and ring at both levels, reduction by halving: large ones
//
// When: several nodes with several ranks each; only one message of a node crosses the network at a time.
// Cost: that of the algorithm among the ranks of a node, with the numbers of messages inside of it, and that of the
// same between the nodes. Reductions keep the order where the ranks of each node follow each other.
// Source: folklore; Karonis et al., "Exploiting hierarchy in parallel computer networks", IPDPS 2000.
#pragma once

#include "coll/algorithms/among.hpp"
#include "coll/algorithms/barrier_dissemination.hpp"
#include "coll/algorithms/barrier_tree.hpp"
#include "coll/algorithms/bcast_binomial.hpp"
#include "coll/algorithms/bcast_scatter_allgather.hpp"
#include "coll/algorithms/reduce_binomial.hpp"
#include "coll/algorithms/reduce_rabenseifner.hpp"

namespace cow::coll {

struct BarrierNodes {
  static constexpr Collective collective = Collective::barrier;
  static constexpr const char* name = "nodes";
  static bool valid(const Problem& p) { return two_levels(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost.inside(p.nodes->largest(), [&](Cost& c) { BarrierTree::cost(c, in_node(p)); });
    cost.between(1, [&](Cost& c) { BarrierDissemination::cost(c, between_nodes(p)); });
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const std::vector<int> first = one_a_node(*v.nodes(), 0);
    Among local(v, v.nodes()->ranks(v.nodes()->node(v.rank())));
    Among heads(v, first);
    BarrierTree::report(local);
    if (heads.member()) BarrierDissemination::run(heads, a);
    BarrierTree::release(local);
  }
};

struct NodesName {
  static constexpr const char* name = "nodes";
};
struct NodesLargeName {
  static constexpr const char* name = "nodes_large";
};

template <class Inner, class Name>
struct BcastNodes : Name {
  static constexpr Collective collective = Collective::bcast;
  static bool valid(const Problem& p) { return two_levels(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost.inside(p.nodes->largest(), [&](Cost& c) { Inner::cost(c, in_node(p)); });
    cost.between(1, [&](Cost& c) { Inner::cost(c, between_nodes(p)); });
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    const std::vector<int> head = one_a_node(nodes, 0, a.root);
    const std::vector<int>& neighbours = nodes.ranks(node);
    Among heads(v, head);
    Among local(v, neighbours);
    Args part = a;
    part.root = nodes.node(a.root);
    if (heads.member()) Inner::run(heads, part);
    part.root = place_of(head[static_cast<std::size_t>(node)], neighbours);
    Inner::run(local, part);
  }
};
using BcastNodesSmall = BcastNodes<BcastBinomial, NodesName>;
using BcastNodesLarge = BcastNodes<BcastScatterRing, NodesLargeName>;

// `Commuting` where the operation commutes, else `Ordered`.
template <class Commuting, class Ordered, class Name>
struct ReduceNodes : Name {
  static constexpr Collective collective = Collective::reduce;
  static bool valid(const Problem& p) { return two_levels_in_order(p); }
  static void cost(Cost& cost, const Problem& p) {
    const auto part = [](Cost& c, const Problem& q) { q.commutative ? Commuting::cost(c, q) : Ordered::cost(c, q); };
    cost.inside(p.nodes->largest(), [&](Cost& c) { part(c, in_node(p)); });
    cost.between(1, [&](Cost& c) { part(c, between_nodes(p)); });
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    const std::vector<int> head = one_a_node(nodes, 0, a.root);
    const std::vector<int>& neighbours = nodes.ranks(node);
    Among heads(v, head);
    Among local(v, neighbours);
    Args part = a;
    part.root = place_of(head[static_cast<std::size_t>(node)], neighbours);
    if (heads.member() && v.rank() != a.root) part.recv = v.scratch(a.count);
    reduce(local, part);
    if (!heads.member()) return;
    part.send = part.recv;
    part.root = nodes.node(a.root);
    reduce(heads, part);
  }

 private:
  template <class V>
  static void reduce(V& v, const Args& a) {
    if (v.size() == 1) return v.copy(a.recv, a.send, a.count);
    v.commutative() ? Commuting::run(v, a) : Ordered::run(v, a);
  }
};
using ReduceNodesSmall = ReduceNodes<ReduceBinomial, ReduceOrdered, NodesName>;
using ReduceNodesLarge = ReduceNodes<ReduceRabenseifner, ReduceOrderedHalving, NodesLargeName>;

}  // namespace cow::coll
