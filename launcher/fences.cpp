#include "launcher/fences.hpp"

#include <pmix_common.h>

#include <algorithm>

namespace cow::launch {

void Fences::arrive(std::uint32_t node, std::uint64_t number, std::vector<std::uint32_t> ranks,
                    std::string_view data) {
  std::erase_if(ranks, [&](std::uint32_t rank) { return rank >= job_.ranks.size(); });
  std::sort(ranks.begin(), ranks.end());
  auto fence = std::find_if(open_.begin(), open_.end(),
                            [&](const Fence& f) { return f.ranks == ranks && f.missing.count(node) != 0; });
  if (fence == open_.end()) {
    Fence made;
    for (std::uint32_t rank : ranks) made.missing.insert(job_.ranks[rank].node);
    if (ranks.empty()) {
      for (const Place& place : job_.ranks) made.missing.insert(place.node);
    }
    made.ranks = std::move(ranks);
    fence = open_.insert(open_.end(), std::move(made));
  }
  fence->missing.erase(node);
  fence->arrived[node] = number;
  fence->data.append(data);  // PMIx reads the contributions one after the other
  if (fence->missing.empty()) {
    finish(fence, PMIX_SUCCESS);
  } else if (is_hopeless(*fence)) {
    finish(fence, PMIX_ERR_PROC_TERM_WO_SYNC);
  }
}

bool Fences::is_hopeless(const Fence& fence) const {
  return std::any_of(gone_.begin(), gone_.end(), [&](std::uint32_t rank) {
    const bool takes_part = fence.ranks.empty() || std::binary_search(fence.ranks.begin(), fence.ranks.end(), rank);
    return takes_part && fence.missing.count(job_.ranks[rank].node) != 0;
  });
}

void Fences::rank_gone(std::uint32_t rank) {
  gone_.insert(rank);
  for (auto fence = open_.begin(); fence != open_.end();) {
    const auto next = std::next(fence);
    if (is_hopeless(*fence)) finish(fence, PMIX_ERR_PROC_TERM_WO_SYNC);
    fence = next;
  }
}

void Fences::finish(std::list<Fence>::iterator fence, int status) {
  const Fence done = std::move(*fence);
  open_.erase(fence);
  for (const auto& [node, number] : done.arrived) {
    answer_(node, number, status, status == PMIX_SUCCESS ? done.data : std::string());
  }
}

}  // namespace cow::launch
