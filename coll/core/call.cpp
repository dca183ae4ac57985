#include "coll/core/call.hpp"

#include <algorithm>

namespace cow::coll {
namespace {

constexpr std::size_t most_kept = 8;        // lists
constexpr std::size_t longest_kept = 4096;  // elements of one
std::vector<std::unique_ptr<Lists>>& kept_lists() {
  static auto* const kept = new std::vector<std::unique_ptr<Lists>>;  // for calls of any time
  return *kept;
}

}  // namespace

void Lists::clear() {
  for (auto* list : {&in, &out}) list->clear();
  for (auto* list : {&counts, &displs, &send_counts, &send_displs}) list->clear();
  for (auto* list : {&types, &send_types}) list->clear();
}

Lists* take_lists() {
  std::vector<std::unique_ptr<Lists>>& kept = kept_lists();
  if (kept.empty()) return new Lists;
  Lists* const lists = kept.back().release();
  kept.pop_back();
  return lists;
}

void GiveBack::operator()(Lists* lists) const {
  std::unique_ptr<Lists> owned(lists);
  const std::size_t longest =
      std::max({lists->in.capacity(), lists->out.capacity(), lists->counts.capacity(), lists->send_counts.capacity()});
  if (kept_lists().size() >= most_kept || longest > longest_kept) return;
  lists->clear();
  kept_lists().push_back(std::move(owned));
}

}  // namespace cow::coll
