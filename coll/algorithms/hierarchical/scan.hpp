// Prefix sums in two levels: among the ranks of each node, then between the last ranks of the nodes, which know their sums,
// and what comes of that to all ranks of a node.
//
// When: several nodes with several ranks each, one after the other. In blocking calls the parts inside of nodes go by memory.
// Cost: that of doubling inside of a node, or of memory; log2 k (alpha + n (beta + gamma)) for k nodes; a broadcast; 2 alpha.
// Source: folklore; Karonis et al., IPDPS 2000.
#pragma once

#include "coll/algorithms/bcast/binomial.hpp"
#include "coll/algorithms/parts/subgroup.hpp"
#include "coll/algorithms/scan/scan.hpp"

namespace cow::coll {

template <bool inclusive>
struct HierarchicalScan {
  static constexpr Collective collective = inclusive ? Collective::scan : Collective::exscan;
  static constexpr const char* name = "hierarchical";
  static constexpr bool parts_on_memory = true;
  using Inner = std::conditional_t<inclusive, ScanDoubling, ExscanDoubling>;
  static bool valid(const Problem& p) { return two_levels(p) && p.nodes->in_order(); }
  static void cost(Cost& cost, const Problem& p) {
    cost_in_node<Inner>(cost, p, in_node(p));
    cost.between(1, [&](Cost& c) { ExscanDoubling::cost(c, between_nodes(p)); });
    cost_in_node<BcastBinomial>(cost, p, in_node(p));
    cost.reduce(static_cast<double>(p.bytes));
    cost.shift(1, 0, 2, false);  // measured: of the three parts each waits for the one before; nobody goes ahead
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    Subgroup local = in_own_node(v);
    const int m = local.size(), last = m - 1;
    const bool is_last = local.rank() == last, has_below = node > 0;
    const Address total = is_last && !inclusive ? v.scratch(a.count) : a.recv;
    if (is_last && !inclusive) v.copy(total, a.send, a.count);
    if (m > 1)
      run_in_node<Inner>(v, local, a);
    else if (inclusive)
      v.copy(a.recv, a.send, a.count);
    if (is_last && !inclusive && m > 1) v.reduce(a.recv, total, a.count);
    const Address below = v.scratch(a.count);  // what all nodes before this one come to
    if (is_last) between(v, nodes, node, total, below, a.count);
    Args part = a;
    part.recv = below;
    part.root = last;
    if (!has_below) return;
    if (m > 1) run_in_node<BcastBinomial>(v, local, part);
    if (!inclusive && local.rank() == 0) return v.copy(a.recv, below, a.count);
    v.reduce(below, a.recv, a.count);
  }

 private:
  template <class V>
  static void between(V& v, const Nodes& nodes, int node, Address total, Address below, Count n) {
    std::vector<int> lasts;
    for (int i = 0; i < nodes.count(); ++i) lasts.push_back(nodes.ranks(i).back());
    Subgroup leaders(v, lasts, node);
    Args part;
    part.send = total;
    part.recv = below;
    part.count = n;
    ExscanDoubling::run(leaders, part);
  }
};

}  // namespace cow::coll
