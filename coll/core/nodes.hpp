// Which ranks of a communicator share a node: the same knowledge at every rank.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace cow::coll {

class Nodes {
 public:
  // `ids`: a number for each rank, equal for those that share a node. Nodes are counted in the order of their first
  // ranks.
  explicit Nodes(const std::vector<std::uint32_t>& ids) : smallest_(static_cast<int>(ids.size())) {
    std::unordered_map<std::uint32_t, int> known;
    for (std::size_t r = 0; r < ids.size(); ++r) {
      const int node = known.try_emplace(ids[r], static_cast<int>(known.size())).first->second;
      if (node == count()) ranks_.emplace_back();
      if (r > 0 && node < node_.back()) in_order_ = false;
      node_.push_back(node);
      std::vector<int>& ranks = ranks_[static_cast<std::size_t>(node)];
      if (ranks.empty()) firsts_.push_back(static_cast<int>(r));
      place_.push_back(static_cast<int>(ranks.size()));
      ranks.push_back(static_cast<int>(r));
    }
    for (const std::vector<int>& ranks : ranks_) {
      smallest_ = std::min(smallest_, static_cast<int>(ranks.size()));
      largest_ = std::max(largest_, static_cast<int>(ranks.size()));
    }
  }

  std::size_t size() const { return node_.size(); }
  int count() const { return static_cast<int>(ranks_.size()); }
  int node(int rank) const { return node_[static_cast<std::size_t>(rank)]; }
  const std::vector<int>& ranks(int node) const { return ranks_[static_cast<std::size_t>(node)]; }  // ascending
  int place(int rank) const { return place_[static_cast<std::size_t>(rank)]; }  // among the ranks of its node
  const std::vector<int>& firsts() const { return firsts_; }                    // of each node
  bool in_order() const { return in_order_; }  // the ranks of each node follow each other
  int smallest() const { return smallest_; }   // ranks on a node
  int largest() const { return largest_; }
  bool uniform() const { return smallest_ == largest_; }
  // Several nodes, and several ranks on some.
  bool two_levels() const { return count() > 1 && largest_ > 1; }

 private:
  std::vector<int> node_;
  std::vector<std::vector<int>> ranks_;
  std::vector<int> place_;
  std::vector<int> firsts_;
  bool in_order_ = true;
  int smallest_;
  int largest_ = 0;
};

}  // namespace cow::coll
