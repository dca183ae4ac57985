#include "launcher/tree/fences.hpp"

#include <pmix_common.h>

#include <algorithm>

namespace cow::launch {

// The child below which the rank is, or this member; no_node: it is not below this member.
std::uint32_t Fences::who_brings(std::uint32_t rank) const {
  const std::uint32_t node = job_.ranks[rank].node;
  return node == self_ ? self_ : routes_.hop(node);
}

Fences::Fence Fences::begin(std::vector<std::uint32_t> ranks) const {
  Fence out;
  const auto take_in = [&](std::uint32_t rank) {
    const std::uint32_t who = who_brings(rank);
    if (who == no_node)
      out.others_take_part = true;
    else
      out.missing.insert(who);
  };
  for (std::uint32_t rank : ranks) take_in(rank);
  for (std::uint32_t rank = 0; ranks.empty() && rank < job_.ranks.size(); ++rank) take_in(rank);
  out.ranks = std::move(ranks);
  return out;
}

void Fences::arrive(std::uint32_t who, std::uint64_t number, std::vector<std::uint32_t> ranks, std::string_view data) {
  std::erase_if(ranks, [&](std::uint32_t rank) { return rank >= job_.ranks.size(); });
  std::sort(ranks.begin(), ranks.end());
  auto fence = std::find_if(open_.begin(), open_.end(),
                            [&](const Fence& f) { return f.ranks == ranks && f.missing.count(who) != 0; });
  if (fence == open_.end()) fence = open_.insert(open_.end(), begin(std::move(ranks)));
  fence->missing.erase(who);
  fence->arrived[who] = number;
  fence->data.append(data);  // PMIx reads the contributions one after the other
  if (is_hopeless(*fence)) return finish(fence, PMIX_ERR_PROC_TERM_WO_SYNC, {});
  if (!fence->missing.empty()) return;
  if (!fence->others_take_part) return finish(fence, PMIX_SUCCESS, fence->data);
  fence->number = ++last_number_;
  callbacks_.arrive(fence->number, fence->ranks, fence->data);
  fence->data.clear();
}

void Fences::answered(std::uint64_t number, int status, std::string_view data) {
  const auto fence = std::find_if(open_.begin(), open_.end(), [&](const Fence& f) { return f.number == number; });
  if (number != 0 && fence != open_.end()) finish(fence, status, std::string(data));
}

bool Fences::is_hopeless(const Fence& fence) const {
  return std::any_of(gone_.begin(), gone_.end(), [&](std::uint32_t rank) {
    const bool takes_part = fence.ranks.empty() || std::binary_search(fence.ranks.begin(), fence.ranks.end(), rank);
    return takes_part && fence.missing.count(who_brings(rank)) != 0;
  });
}

void Fences::rank_gone(std::uint32_t rank) {
  gone_.insert(rank);
  for (auto fence = open_.begin(); fence != open_.end();) {
    const auto next = std::next(fence);
    if (is_hopeless(*fence)) finish(fence, PMIX_ERR_PROC_TERM_WO_SYNC, {});
    fence = next;
  }
}

void Fences::finish(std::list<Fence>::iterator fence, int status, const std::string& data) {
  const std::string everything = status == PMIX_SUCCESS ? data : std::string();
  const Fence done = std::move(*fence);
  open_.erase(fence);
  for (const auto& [who, number] : done.arrived) callbacks_.answer(who, number, status, everything);
}

}  // namespace cow::launch
