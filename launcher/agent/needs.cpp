#include "launcher/agent/needs.hpp"

#include <algorithm>

#include "launcher/agent/rank_starter.hpp"
#include "launcher/core/file_limit.hpp"
#include "launcher/pmix/low_descriptors.hpp"

namespace cow::launch {

std::string lack_of_descriptors(const Job& job, std::size_t children) {
  constexpr std::size_t own = 20;           // the loop, signals, listeners, what all ranks inherit
  constexpr std::size_t for_each_rank = 3;  // its output, its errors, and its line or its connection to PMIx
  const auto ranks = static_cast<std::size_t>(
      std::count_if(job.ranks.begin(), job.ranks.end(), [&](const Place& place) { return place.node == job.node; }));
  const std::size_t inputs = job.input_rank == all_ranks ? ranks : 1;
  // The last batch, whose lines are not there yet while it is started.
  const std::size_t at_start = std::min(ranks, RankStarter::batch) * (RankStarter::files_while_starting - 1);
  const std::size_t needed =
      own + ranks * for_each_rank + inputs + at_start + children * files_of_child + descriptors_kept_low(ranks);
  std::string why = std::to_string(ranks) + (ranks == 1 ? " rank" : " ranks");
  if (children > 0) why += " and " + std::to_string(children) + " agents that it starts";
  return lack_of_files(needed, "the agent", why);
}

}  // namespace cow::launch
