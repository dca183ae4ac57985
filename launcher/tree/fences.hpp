// Fences across nodes, as each member of the tree of agents sees them (mpirun is its root): its children arrive, each for all
// below it, and the member itself for its own ranks; then the member arrives at its parent, or, when all that take part are
// below it, the fence is over. Also the questions that agents ask each other through mpirun.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/core/job.hpp"
#include "launcher/core/tree.hpp"

namespace cow::launch {

class Fences {
 public:
  struct Callbacks {
    // Answers one that has arrived: a child, or this member itself, with its number for the fence, a PMIx status, and the
    // data of all.
    std::function<void(std::uint32_t who, std::uint64_t number, int status, const std::string& data)> answer;
    // Arrives at the parent, with a number of this member's. Not for the root.
    std::function<void(std::uint64_t number, const std::vector<std::uint32_t>& ranks, const std::string& data)> arrive;
  };

  // `self`: no_node for mpirun. `job` and `routes` belong to the caller and stay.
  Fences(const Job& job, const Routes& routes, std::uint32_t self, Callbacks callbacks)
      : job_(job), routes_(routes), self_(self), callbacks_(std::move(callbacks)) {}

  // `ranks`: those that take part; empty: all.
  void arrive(std::uint32_t who, std::uint64_t number, std::vector<std::uint32_t> ranks, std::string_view data);

  // The parent's answer to `number`.
  void answered(std::uint64_t number, int status, std::string_view data);

  // A rank below or of this member has ended: fences that wait for it can never complete and are answered with an error.
  void rank_gone(std::uint32_t rank);

 private:
  struct Fence {
    std::vector<std::uint32_t> ranks;                // sorted; empty: all
    std::set<std::uint32_t> missing;                 // children and this member, as far as they take part
    std::map<std::uint32_t, std::uint64_t> arrived;  // who, with its number
    std::string data;
    bool others_take_part = false;  // that are not below this member
    std::uint64_t number = 0;       // with which this member has arrived at its parent; 0: not yet
  };
  std::uint32_t who_brings(std::uint32_t rank) const;
  Fence begin(std::vector<std::uint32_t> ranks) const;
  bool is_hopeless(const Fence& fence) const;
  void finish(std::list<Fence>::iterator fence, int status, const std::string& data);

  const Job& job_;
  const Routes& routes_;
  std::uint32_t self_;
  Callbacks callbacks_;
  std::list<Fence> open_;
  std::set<std::uint32_t> gone_;
  std::uint64_t last_number_ = 0;
};

class Questions {
 public:
  struct Asked {
    std::uint32_t node;    // who asks
    std::uint64_t number;  // its number for the question
  };

  std::uint64_t open(std::uint32_t node, std::uint64_t number) {
    open_[++last_] = {node, number};
    return last_;
  }

  // False when there is no such question (any more).
  bool close(std::uint64_t question, Asked& out) {
    const auto found = open_.find(question);
    if (found == open_.end()) return false;
    out = found->second;
    open_.erase(found);
    return true;
  }

 private:
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Asked> open_;
};

}  // namespace cow::launch
