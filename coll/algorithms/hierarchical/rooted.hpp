// Barrier, broadcast and reduction in two levels: among the ranks of each node, and between one rank of each node, the
// node's leader. The leader of the root's node is the root.
//
//   "hierarchical"        trees at both levels: small messages
//   "hierarchical_large"  broadcast by scatter and ring at both levels, reduction by halving: large ones
//
// When: several nodes with several ranks each; only one message of a node crosses the network at a time. In blocking calls
// the parts inside of nodes go by memory, without messages.
// Cost: that of the algorithm among the ranks of a node, with the numbers of messages inside of it (or of memory), and that
// of the same between the nodes. Reductions keep the order where the ranks of each node follow each other.
// Source: folklore; Karonis et al., "Exploiting hierarchy in parallel computer networks", IPDPS 2000.
#pragma once

#include "coll/algorithms/barrier/dissemination.hpp"
#include "coll/algorithms/barrier/tree.hpp"
#include "coll/algorithms/bcast/binomial.hpp"
#include "coll/algorithms/bcast/scatter_allgather.hpp"
#include "coll/algorithms/parts/subgroup.hpp"
#include "coll/algorithms/reduce/binomial.hpp"
#include "coll/algorithms/reduce/rabenseifner.hpp"

namespace cow::coll {

struct HierarchicalBarrier {
  static constexpr Collective collective = Collective::barrier;
  static constexpr const char* name = "hierarchical";
  static constexpr bool parts_on_memory = true;
  static bool valid(const Problem& p) { return two_levels(p); }
  static void cost(Cost& cost, const Problem& p) {
    Problem nothing = in_node(p);
    nothing.bytes = 0;
    cost_in_node<Report>(cost, p, nothing);
    cost.between(1, [&](Cost& c) { BarrierDissemination::cost(c, between_nodes(p)); });
    cost_in_node<Release>(cost, p, nothing);
  }

  template <class V>
  static void run(V& v, const Args& a) {
    Subgroup local = in_own_node(v);
    run_in_node<Report>(v, local, a);
    if (Subgroup leaders = firsts_of_nodes(v); leaders.member()) BarrierDissemination::run(leaders, a);
    run_in_node<Release>(v, local, a);
  }

 private:
  struct Report {  // a gather of nothing
    static constexpr Collective collective = Collective::gather;
    static void cost(Cost& cost, const Problem& p) { BarrierTree::cost_half(cost, p); }
    template <class V>
    static void run(V& local, const Args&) {
      BarrierTree::report(local);
    }
  };
  struct Release {
    static constexpr Collective collective = Collective::bcast;
    static void cost(Cost& cost, const Problem& p) { BarrierTree::cost_half(cost, p); }
    template <class V>
    static void run(V& local, const Args&) {
      BarrierTree::release(local);
    }
  };
};

struct HierarchicalName {
  static constexpr const char* name = "hierarchical";
};
struct HierarchicalLargeName {
  static constexpr const char* name = "hierarchical_large";
};

// `Inner` among the ranks of each node and between the leaders.
template <class Inner, class Name>
struct HierarchicalRooted : Name {
  static constexpr Collective collective = Inner::collective;
  static constexpr bool parts_on_memory = true;
  static void cost(Cost& cost, const Problem& p) {
    cost_in_node<Inner>(cost, p, in_node(p));
    cost.between(1, [&](Cost& c) { Inner::cost(c, between_nodes(p)); });
  }

 protected:
  // The part of the leaders, of which this rank is one.
  template <class V>
  static void run_between_nodes(V& v, const Args& a, Args part) {
    const Nodes& nodes = *v.nodes();
    const std::vector<int> leader = one_a_node(nodes, 0, a.root);
    Subgroup leaders(v, leader, nodes.node(v.rank()));
    part.root = nodes.node(a.root);
    Inner::run(leaders, part);
  }
};

template <class Inner, class Name>
struct HierarchicalBcast : HierarchicalRooted<Inner, Name> {
  static bool valid(const Problem& p) { return two_levels(p); }

  template <class V>
  static void run(V& v, const Args& a) {
    Subgroup local = in_own_node(v);
    Args part = a;
    part.root = place_of_leader(v, a.root);
    if (local.rank() == part.root) HierarchicalBcast::run_between_nodes(v, a, part);
    run_in_node<Inner>(v, local, part);
  }
};
using HierarchicalBcastSmall = HierarchicalBcast<BcastBinomial, HierarchicalName>;
using HierarchicalBcastLarge = HierarchicalBcast<BcastScatterRing, HierarchicalLargeName>;

// `Commuting` where the operation commutes, else `Ordered`.
template <class Commuting, class Ordered>
struct ReduceEither {
  static constexpr Collective collective = Collective::reduce;
  static void cost(Cost& c, const Problem& p) { p.commutative ? Commuting::cost(c, p) : Ordered::cost(c, p); }
  template <class V>
  static void run(V& v, const Args& a) {
    if (v.size() == 1) return v.copy(a.recv, a.send, a.count);
    v.commutative() ? Commuting::run(v, a) : Ordered::run(v, a);
  }
};

template <class Inner, class Name>
struct HierarchicalReduce : HierarchicalRooted<Inner, Name> {
  static bool valid(const Problem& p) { return two_levels_in_order(p); }

  template <class V>
  static void run(V& v, const Args& a) {
    Subgroup local = in_own_node(v);
    Args part = a;
    part.root = place_of_leader(v, a.root);
    const bool is_leader = local.rank() == part.root;
    if (is_leader && v.rank() != a.root) part.recv = v.scratch(a.count);
    run_in_node<Inner>(v, local, part);
    if (!is_leader) return;
    part.send = part.recv;
    HierarchicalReduce::run_between_nodes(v, a, part);
  }
};
using HierarchicalReduceSmall = HierarchicalReduce<ReduceEither<ReduceBinomial, ReduceOrdered>, HierarchicalName>;
using HierarchicalReduceLarge =
    HierarchicalReduce<ReduceEither<ReduceRabenseifner, ReduceOrderedHalving>, HierarchicalLargeName>;

}  // namespace cow::coll
