// Broadcast on a hypercube over d edge-disjoint spanning binomial trees. The message is cut into d parts; tree j hands
// its part to the neighbour root ^ 2^j, from where a binomial tree over the dimensions j + 1, j + 2, … j (around)
// reaches everybody. No directed link is used by two trees, so each part can be pipelined in packets.
//
// When: large messages on a hypercube: d times the bandwidth of one tree.
// Cost: (d + k) steps of (alpha + n/(d k) beta) for k packets a tree; dilation 1, load 1.
// Source: Johnsson and Ho, "Optimum broadcasting and personalized communication in hypercubes", IEEE ToC 1989.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

struct BcastSpanningTrees {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "spanning_trees";
  static bool valid(const Problem& p) { return p.layout && p.layout->kind() == Layout::Kind::hypercube && p.size > 1; }

  static void cost(Cost& cost, const Problem& p) {
    const int d = log2_floor(p.size);
    const Count part = (p.bytes + d - 1) / d;
    const Count packet = std::max<Count>(1, std::min(part, pipeline_segment(part, 1, d)));
    const int packets = static_cast<int>((part + packet - 1) / packet);
    // A rank has up to d packets to send in a step.
    cost.known({1, 1}, static_cast<double>(packet), d + std::max(packets, 1));
    cost.starts((d - 1) * std::max(packets, 1));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int d = log2_floor(v.size());
    const EvenBlocks parts{a.count, d};
    const Count packet = pipeline_segment(parts.length(0), 1, d);
    const int packets = static_cast<int>((parts.length(0) + packet - 1) / packet);
    for (int time = 0; time < d + packets; ++time) {
      for (int j = 0; j < d; ++j) tree_step(v, a, d, j, time, parts, packet);
      v.step();
    }
  }

 private:
  // Packet k enters tree j at time k and goes over the tree's dimension number u at time k + 1 + u. A rank receives
  // over the last of the tree's dimensions in which it differs from the tree's root, and sends over all later ones.
  template <class V>
  static void tree_step(V& v, const Args& a, int d, int j, int time, const EvenBlocks& parts, Count packet) {
    const int root = a.root ^ 1 << j;
    const int differs = v.rank() ^ root;
    const bool source = v.rank() == a.root;
    const auto dimension = [&](int u) { return (j + 1 + u) % d; };
    const auto move = [&](int k, bool out, int peer) {
      const Count length = parts.length(j);
      if (k < 0 || k * packet >= length) return;
      const Address place = v.at(a.recv, parts.offset(j) + k * packet);
      const Count n = std::min(packet, length - k * packet);
      out ? v.post_send(peer, place, n) : v.post_recv(peer, place, n);
    };
    if (source) return move(time, true, root);
    int last = -1;
    for (int u = 0; u < d; ++u)
      if (differs >> dimension(u) & 1) last = u;
    move(time - 1 - last, false, last < 0 ? a.root : v.rank() ^ 1 << dimension(last));
    for (int u = last + 1; u < d; ++u) {
      const int child = v.rank() ^ 1 << dimension(u);
      if (child != a.root) move(time - 1 - u, true, child);
    }
  }
};

}  // namespace cow::coll
