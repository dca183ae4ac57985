#include "launcher/core/job.hpp"

#include <algorithm>

#include "launcher/core/tree.hpp"

namespace cow::launch {
namespace {

constexpr std::size_t key_size = 32;

// Parents come before their children, so there is no circle.
bool is_tree(const std::vector<std::uint32_t>& parents) {
  for (std::size_t node = 0; node < parents.size(); ++node) {
    if (parents[node] != no_node && parents[node] >= node) return false;
  }
  return true;
}

bool makes_sense(const Job& job) {
  const auto placed = [&](const Place& place) {
    return place.node < job.nodes.size() && place.application < job.applications.size() && place.slot < job.ranks.size();
  };
  const auto runnable = [](const Application& application) {
    return !application.argv.empty() && !application.argv[0].empty() && !application.directory.empty();
  };
  return !job.name.empty() && job.key.size() == key_size && job.node < job.nodes.size() && !job.ranks.empty() &&
         job.start.parents.size() == job.nodes.size() && is_tree(job.start.parents) && job.output_window > 0 && job.input <= Input::on_demand &&
         (job.input_rank < job.ranks.size() || job.input_rank == all_ranks) &&
         // An inherited descriptor is one rank's.
         (job.input_rank != all_ranks || job.input != Input::inherited) &&
         std::max({job.binding.map, job.binding.bind, job.binding.rank}) <= Level::node && job.binding.width > 0 &&
         job.binding.per_object > 0 &&
         std::all_of(job.ranks.begin(), job.ranks.end(), placed) &&
         std::all_of(job.applications.begin(), job.applications.end(), runnable);
}

}  // namespace

std::string write_common(const Job& job) {
  Writer out;
  out.text(job.name).text(job.key).texts(job.environment);
  out.u32(static_cast<std::uint32_t>(job.applications.size()));
  for (const Application& application : job.applications) {
    out.texts(application.argv).text(application.directory).texts(application.environment);
  }
  out.texts(job.nodes);
  out.u32(static_cast<std::uint32_t>(job.ranks.size()));
  for (const Place& place : job.ranks) out.u32(place.node).u32(place.application).u32(place.slot);
  out.u32(job.output_window).u32(job.flush_after).u8(static_cast<std::uint8_t>(job.input)).u32(job.input_rank);
  const BindingPlan& binding = job.binding;
  for (const Level level : {binding.map, binding.bind, binding.rank}) out.u8(static_cast<std::uint8_t>(level));
  out.u32(binding.width).u32(binding.per_object).u8(binding.equal_shares).u32(binding.most_cpus).u8(binding.report);
  const StartPlan& start = job.start;
  out.u32(static_cast<std::uint32_t>(start.parents.size()));
  for (const std::uint32_t parent : start.parents) out.u32(parent);
  out.text(start.agent).text(start.remote_shell).u8(start.srun).u32(start.start_timeout).u32(start.host_timeout);
  return out.bytes();
}

Writer write_job(std::string_view common, std::uint32_t node, const KeepalivePlan& keepalive) {
  Writer out;
  out.u32(node).text(common).texts(keepalive.addresses).u32(keepalive.port).u32(keepalive.timeout);
  return out;
}

std::string_view common_part(Reader body) {
  body.u32();
  return body.text();
}

bool read_job(Reader body, Job& out) {
  out.node = body.u32();
  Reader in(body.text());
  out.keepalive.addresses = body.texts();
  out.keepalive.port = static_cast<std::uint16_t>(body.u32());
  out.keepalive.timeout = body.u32();
  if (!body.finished()) return false;
  out.name = in.text();
  out.key = in.text();
  out.environment = in.texts();
  out.applications.resize(in.count(12));
  for (Application& application : out.applications) {
    application.argv = in.texts();
    application.directory = in.text();
    application.environment = in.texts();
  }
  out.nodes = in.texts();
  out.ranks.resize(in.count(12));
  for (Place& place : out.ranks) {
    place.node = in.u32();
    place.application = in.u32();
    place.slot = in.u32();
  }
  out.output_window = in.u32();
  out.flush_after = in.u32();
  out.input = static_cast<Input>(in.u8());
  out.input_rank = in.u32();
  for (Level* level : {&out.binding.map, &out.binding.bind, &out.binding.rank}) *level = static_cast<Level>(in.u8());
  out.binding.width = in.u32();
  out.binding.per_object = in.u32();
  out.binding.equal_shares = in.u8() != 0;
  out.binding.most_cpus = in.u32();
  out.binding.report = in.u8() != 0;
  out.start.parents.resize(in.count(4));
  for (std::uint32_t& parent : out.start.parents) parent = in.u32();
  out.start.agent = in.text();
  out.start.remote_shell = in.text();
  out.start.srun = in.u8() != 0;
  out.start.start_timeout = in.u32();
  out.start.host_timeout = in.u32();
  return in.finished() && makes_sense(out);
}

}  // namespace cow::launch
