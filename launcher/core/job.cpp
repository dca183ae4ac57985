#include "launcher/core/job.hpp"

#include <algorithm>

#include "launcher/core/tree.hpp"

namespace cow::launch {
namespace {

constexpr std::size_t key_size = 32;

static_assert(names_all_members<Application> && names_all_members<Place> && names_all_members<BindingPlan> &&
              names_all_members<StartPlan>);
constexpr std::size_t beside = 2;  // members that the frame has beside the common part
static_assert(count_members<Job>() == std::tuple_size_v<decltype(Job::fields(std::declval<Job&>()))> + beside);

// Parents come before their children, so there is no circle.
bool is_tree(const std::vector<std::uint32_t>& parents) {
  for (std::size_t node = 0; node < parents.size(); ++node) {
    if (parents[node] != no_node && parents[node] >= node) return false;
  }
  return true;
}

bool makes_sense(const Job& job) {
  const auto placed = [&](const Place& place) {
    return place.node < job.nodes.size() && place.application < job.applications.size() &&
           place.slot < job.ranks.size();
  };
  const auto runnable = [](const Application& application) {
    return !application.argv.empty() && !application.argv[0].empty() && !application.directory.empty();
  };
  return !job.name.empty() && job.key.size() == key_size && job.node < job.nodes.size() && !job.ranks.empty() &&
         job.start.parents.size() == job.nodes.size() && is_tree(job.start.parents) && job.output_window > 0 &&
         job.input <= Input::on_demand && (job.input_rank < job.ranks.size() || job.input_rank == all_ranks) &&
         // An inherited descriptor is one rank's.
         (job.input_rank != all_ranks || job.input != Input::inherited) &&
         std::max({job.binding.map, job.binding.bind, job.binding.rank}) <= Level::node && job.binding.width > 0 &&
         job.binding.per_object > 0 && std::all_of(job.ranks.begin(), job.ranks.end(), placed) &&
         std::all_of(job.applications.begin(), job.applications.end(), runnable);
}

}  // namespace

std::string write_common(const Job& job) { return write_fields(job); }

bool read_job(const frames::Job& frame, Job& out) {
  out.node = frame.node;
  out.keepalive = frame.keepalive;
  return read_fields(frame.common, out) && makes_sense(out);
}

}  // namespace cow::launch
