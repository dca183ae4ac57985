// Allreduce and allgather in two levels: among the ranks of each node, then between nodes, then inside again.
//
//   allreduce "hierarchical"        reduction to the leader of each node, recursive doubling between the leaders, broadcast
//   allreduce "hierarchical_split"  several leaders: the vector is cut into as many pieces as the smallest node has ranks; rank
//                            i of a node gets the node's sum of piece i, sums it up with the i-th ranks of the others,
//                            and hands the result around the node
//   allgather "hierarchical"        gather to the leader, Bruck's algorithm or (blocks of unequal nodes) a ring between the leaders,
//                            broadcast of everything
//   allgather "hierarchical_ring"   the same with the ring, and the broadcast by scatter and ring: large blocks
//
// When: several nodes with several ranks each. "hierarchical" for small vectors: one message of a node crosses at a time;
// "hierarchical_split" for large ones: each byte of a node crosses once, and all ranks reduce.
// Cost: "hierarchical" log2 m (2 a + n (2 b + gamma)) + log2 k (alpha + n (beta + gamma)) for k nodes of m ranks; a, b are those
// inside of a node. "hierarchical_split" 2 (m-1) a + 2 (m-1)/m n b + 2 log2 k alpha + 2 (k-1)/k n beta, and n gamma.
// Order is kept where the ranks of each node follow each other.
// Source: Karonis et al., IPDPS 2000; Bayatpour et al., "Scalable reduction collectives with data partitioning-based
// multi-leader design", SC 2017.
#pragma once

#include "coll/algorithms/allgather/allgather.hpp"
#include "coll/algorithms/allreduce/doubling.hpp"
#include "coll/algorithms/allreduce/rabenseifner.hpp"
#include "coll/algorithms/gather/binomial.hpp"
#include "coll/algorithms/hierarchical/rooted.hpp"
#include "coll/algorithms/reduce_scatter/reduce_scatter.hpp"

namespace cow::coll {

struct HierarchicalAllreduce {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "hierarchical";
  static constexpr bool parts_on_memory = true;
  static bool valid(const Problem& p) { return two_levels_in_order(p); }
  static void cost(Cost& cost, const Problem& p) {
    cost_in_node<ToLeader>(cost, p, in_node(p));
    cost.between(1, [&](Cost& c) { AllreduceDoubling::cost(c, between_nodes(p)); });
    cost_in_node<BcastBinomial>(cost, p, in_node(p));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    Subgroup local = in_own_node(v);
    Args part = a;
    part.root = 0;
    run_in_node<ToLeader>(v, local, part);
    part.send = a.recv;
    if (Subgroup leaders = firsts_of_nodes(v); leaders.member()) AllreduceDoubling::run(leaders, part);
    run_in_node<BcastBinomial>(v, local, part);
  }

 private:
  struct ToLeader {  // towards position 0, which keeps the order
    static constexpr Collective collective = Collective::reduce;
    static void cost(Cost& cost, const Problem& p) { ReduceBinomial::cost(cost, p); }
    template <class V>
    static void run(V& local, const Args& a) {
      reduce_tree(local, a, local.rank(), [](int position) { return position; }, local.rank() == 0 ? a.recv : 0);
    }
  };
};

// n units in as many even blocks as there are leaders; further ranks have none.
struct LeaderBlocks {
  EvenBlocks blocks;
  Count offset(int i) const { return i < blocks.parts ? blocks.offset(i) : blocks.n; }
  Count length(int i) const { return i < blocks.parts ? blocks.length(i) : 0; }
  Count length(int from, int to) const { return offset(to) - offset(from); }
};

struct HierarchicalAllreduceSplit {
  static constexpr Collective collective = Collective::allreduce;
  static constexpr const char* name = "hierarchical_split";
  static bool valid(const Problem& p) { return two_levels_in_order(p) && p.nodes->smallest() > 1; }
  static void cost(Cost& cost, const Problem& p) {
    const int leaders = p.nodes->smallest();
    Problem piece = between_nodes(p);
    piece.bytes /= leaders;
    cost.inside(p.nodes->largest(), [&](Cost& c) {
      ScatterPairwise::cost(c, in_node(p));
      c.shift(1, static_cast<double>(piece.bytes), p.nodes->largest() - 1);
    });
    cost.between(leaders, [&](Cost& c) { AllreduceRabenseifner::cost(c, piece); });
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    Subgroup local(v, nodes.ranks(nodes.node(v.rank())));
    const LeaderBlocks blocks{{a.count, nodes.smallest()}};
    const int me = local.rank();
    const Count own = blocks.length(me);
    Args piece;
    piece.send = a.send;
    piece.recv = v.scratch(own);
    ScatterPairwise::spread(local, piece, blocks, a.count);
    if (me < nodes.smallest()) {
      const std::vector<int> alike = one_a_node(nodes, me);
      Subgroup leaders(v, alike);
      piece.send = piece.recv;
      piece.count = own;
      AllreduceRabenseifner::run(leaders, piece);
      v.copy(v.at(a.recv, blocks.offset(me)), piece.recv, own);
    }
    const int m = local.size();
    ring_allgather(local, me, modulo(me + 1, m), modulo(me - 1, m), a.recv, blocks);
  }
};

template <bool large>
struct HierarchicalAllgather {
  static constexpr Collective collective = Collective::allgather;
  static constexpr const char* name = large ? "hierarchical_ring" : "hierarchical";
  static constexpr bool parts_on_memory = true;
  using Spread = std::conditional_t<large, BcastScatterRing, BcastBinomial>;
  static bool valid(const Problem& p) { return two_levels(p) && (large || p.nodes->uniform()); }
  static void cost(Cost& cost, const Problem& p) {
    Problem chunk = between_nodes(p);
    Problem whole = in_node(p);
    chunk.bytes *= p.nodes->largest();
    whole.bytes *= p.size;
    cost_in_node<GatherBinomial>(cost, p, in_node(p));
    cost_in_node<Spread>(cost, p, whole);
    cost.between(1, [&](Cost& c) { large ? RingWay::cost(c, chunk) : AllgatherBruck::cost(c, chunk); });
    if (!p.nodes->in_order()) cost.copy(static_cast<double>(p.bytes) * p.size);
  }

  // Blocks are collected in the order of the nodes: where that is the ranks' order too, in their places at once.
  template <class V>
  static void run(V& v, const Args& a) {
    const Nodes& nodes = *v.nodes();
    const int node = nodes.node(v.rank());
    Subgroup leaders = firsts_of_nodes(v);
    Subgroup local = in_own_node(v);
    const Address all = nodes.in_order() ? a.recv : v.scratch(a.count * v.size());
    std::vector<Count> lengths, starts;
    Count at = 0;
    for (int i = 0; i < nodes.count(); ++i) {
      starts.push_back(at);
      lengths.push_back(a.count * static_cast<Count>(nodes.ranks(i).size()));
      at += lengths.back();
    }
    const GivenBlocks blocks{lengths.data(), starts.data()};
    Args part = a;
    part.root = 0;
    part.recv = v.at(all, blocks.offset(node));
    if (local.size() > 1)
      run_in_node<GatherBinomial>(v, local, part);
    else
      v.copy(part.recv, a.send, a.count);
    if (leaders.member()) between(leaders, all, blocks, node);
    part.recv = all;
    part.count = a.count * v.size();
    run_in_node<Spread>(v, local, part);
    if (!nodes.in_order()) unpack(v, nodes, a, all);
  }

 private:
  template <class V>
  static void between(V& leaders, Address all, const GivenBlocks& blocks, int node) {
    if (large) return RingWay::spread(leaders, all, blocks);
    Args chunk;
    chunk.send = leaders.at(all, blocks.offset(node));
    chunk.recv = all;
    chunk.count = blocks.length(node);
    AllgatherBruck::run(leaders, chunk);
  }

  template <class V>
  static void unpack(V& v, const Nodes& nodes, const Args& a, Address all) {
    Count at = 0;
    for (int i = 0; i < nodes.count(); ++i)
      for (int rank : nodes.ranks(i)) v.copy(v.at(a.recv, a.count * rank), v.at(all, a.count * at++), a.count);
  }
};

}  // namespace cow::coll
