// Fences across nodes, as mpirun sees them: which agents have arrived, and what they brought. Also the questions that
// agents ask each other through mpirun.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/job.hpp"

namespace cow::launch {

class Fences {
 public:
  // Sends an answer to an agent: its number for the fence, a PMIx status, the data of all.
  using Answer =
      std::function<void(std::uint32_t node, std::uint64_t number, int status, const std::string& data)>;

  Fences(const Job& job, Answer answer) : job_(job), answer_(std::move(answer)) {}

  // An agent has arrived. `ranks`: those that take part; empty: all.
  void arrive(std::uint32_t node, std::uint64_t number, std::vector<std::uint32_t> ranks, std::string_view data);

  // A rank has ended: fences that wait for it can never complete and are answered with an error.
  void rank_gone(std::uint32_t rank);

 private:
  struct Fence {
    std::vector<std::uint32_t> ranks;                // sorted; empty: all
    std::set<std::uint32_t> missing;                 // nodes
    std::map<std::uint32_t, std::uint64_t> arrived;  // node to its number
    std::string data;
  };
  bool is_hopeless(const Fence& fence) const;
  void finish(std::list<Fence>::iterator fence, int status);

  const Job& job_;
  Answer answer_;
  std::list<Fence> open_;
  std::set<std::uint32_t> gone_;
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
