// The agent's open questions: what its ranks have put, asked by other nodes. PMIx may never answer one (when the rank
// ends without putting anything), so each is answered here at the latest when its rank is gone.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace cow::launch {

class Modex {
 public:
  // False: the rank is gone, so the question must be answered with an error at once.
  bool open(std::uint64_t question, std::uint32_t rank) {
    if (gone_.count(rank)) return false;
    open_[question] = rank;
    return true;
  }

  bool is_open(std::uint64_t question) const { return open_.count(question) != 0; }

  // False: it has been answered before.
  bool close(std::uint64_t question) { return open_.erase(question) != 0; }

  // The rank has ended: the questions about it that are open, which are closed by this.
  std::vector<std::uint64_t> rank_gone(std::uint32_t rank) {
    gone_.insert(rank);
    std::vector<std::uint64_t> out;
    for (const auto& [question, asked] : open_) {
      if (asked == rank) out.push_back(question);
    }
    for (std::uint64_t question : out) open_.erase(question);
    return out;
  }

 private:
  std::map<std::uint64_t, std::uint32_t> open_;
  std::set<std::uint32_t> gone_;
};

}  // namespace cow::launch
