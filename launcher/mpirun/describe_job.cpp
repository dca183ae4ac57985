#include "launcher/mpirun/describe_job.hpp"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/layout.hpp"
#include "launcher/placement/hosts.hpp"
#include "launcher/placement/layout_placement.hpp"

namespace cow::launch {
namespace {

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  if (getrandom(out.data(), size, 0) != static_cast<ssize_t>(size)) out.clear();
  return out;
}

std::string job_name(const std::string& key) {
  char text[64];
  snprintf(text, sizeof text, "cow-%d-%02x%02x%02x%02x", getpid(), key[0] & 0xff, key[1] & 0xff, key[2] & 0xff,
           key[3] & 0xff);
  return text;
}

Input choose_input(bool rank_is_here) {
  if (isatty(0)) return Input::on_demand;
  return rank_is_here ? Input::inherited : Input::sent;
}

void add_input(const Options& options, Job& job) {
  if (options.input == InputTo::none) return;
  if (options.input == InputTo::all) {
    job.input_rank = all_ranks;
    job.input = choose_input(false);
    return;
  }
  job.input_rank = options.input_rank;
  job.input = choose_input(options.hosts.empty() || is_this_host(job.nodes[job.ranks[job.input_rank].node]));
}

// How many ranks ppr:N:OBJECT puts on a host. What other hosts are like is not known yet; they are taken to be as this.
std::uint32_t ranks_per_host(const MappingPlan& plan) {
  if (plan.per_object == Level::none) return 0;
  if (plan.per_object == Level::node) return plan.ranks_per_object;
  const Machine machine;
  if (!machine.topology()) return plan.ranks_per_object;
  return plan.ranks_per_object *
         static_cast<std::uint32_t>(objects_of(machine.topology(), machine.allowed(), plan.per_object).size());
}

// --map-by layout: as many ranks as before on each host, but those that are neighbours.
std::string arrange(const std::string& text, std::size_t hosts, std::vector<std::uint32_t>& host_of_rank,
                    std::vector<std::uint32_t>& slot_of_rank) {
  if (text.empty()) return "--map-by layout needs a layout (--layout torus:4x4, or COW_LAYOUT)";
  cow::Layout layout;
  std::string wrong = cow::Layout::parse(text, layout);
  if (wrong.empty()) wrong = layout.fit(static_cast<int>(host_of_rank.size()));
  if (!wrong.empty()) return "--layout (COW_LAYOUT): " + wrong;
  std::vector<std::uint32_t> counts(hosts);
  for (const std::uint32_t host : host_of_rank) ++counts[host];
  LayoutPlacement placed = place_by_layout(layout, counts);
  host_of_rank = std::move(placed.host_of_rank);
  slot_of_rank = std::move(placed.slot_of_rank);
  return {};
}

}  // namespace

std::string place_job(const Options& options, Job& job) {
  const std::vector<Host> here{{this_host(), 0}};
  const std::vector<Host>& hosts = options.hosts.empty() ? here : options.hosts;
  Spread spread = options.mapping.spread;
  spread.per_host = ranks_per_host(options.mapping);
  std::uint32_t slots = spread.per_host * static_cast<std::uint32_t>(hosts.size());
  for (const Host& host : hosts) {
    if (spread.per_host == 0) slots += static_cast<std::uint32_t>(std::max(host.slots, 1));
  }
  std::vector<std::uint32_t> application_of_rank;
  for (std::uint32_t index = 0; index < options.programs.size(); ++index) {
    const std::uint32_t ranks = options.programs[index].ranks;
    application_of_rank.insert(application_of_rank.end(), ranks ? ranks : slots, index);
  }
  const Placement placement = place_ranks(hosts, static_cast<std::uint32_t>(application_of_rank.size()),
                                          options.settings.oversubscribe, options.host_source, spread);
  if (!placement.error.empty()) return placement.error;
  std::vector<std::uint32_t> host_of_rank = placement.host_of_rank, slots_of_ranks;
  if (options.mapping.by_layout) {
    if (std::string wrong = arrange(options.settings.layout, hosts.size(), host_of_rank, slots_of_ranks);
        !wrong.empty())
      return wrong;
  }
  std::vector<std::uint32_t> node_of_host(hosts.size(), ~0u), next_slot(hosts.size());
  for (std::size_t rank = 0; rank < application_of_rank.size(); ++rank) {
    const std::uint32_t host = host_of_rank[rank];
    std::uint32_t& node = node_of_host[host];
    if (node == ~0u) {
      node = static_cast<std::uint32_t>(job.nodes.size());
      job.nodes.push_back(hosts[host].name);
    }
    const std::uint32_t slot = slots_of_ranks.empty() ? next_slot[host]++ : slots_of_ranks[rank];
    job.ranks.push_back({node, application_of_rank[rank], slot});
  }
  if (options.input == InputTo::one && options.input_rank >= job.ranks.size()) {
    return "--stdin " + std::to_string(options.input_rank) + ": the job has " + std::to_string(job.ranks.size()) +
           (job.ranks.size() == 1 ? " rank" : " ranks");
  }
  return {};
}

std::string check_layout(const std::string& text, const Job& job) {
  if (text.empty()) return {};
  cow::Layout layout;
  std::string wrong = cow::Layout::parse(text, layout);
  if (wrong.empty()) wrong = layout.fit(static_cast<int>(job.ranks.size()));
  return wrong.empty() ? wrong : "--layout (COW_LAYOUT): " + wrong;
}

std::string describe_job(const Options& options, Job& job) {
  job.key = random_bytes(32);
  const std::string salt = random_bytes(4);  // the name is no secret and must not tell of the key
  if (job.key.empty() || salt.empty()) return std::string("no random numbers: ") + strerror(errno);
  job.name = job_name(salt);
  job.environment = options.environment;
  for (const Program& program : options.programs) job.applications.push_back(program.application);
  if (std::string wrong = place_job(options, job); !wrong.empty()) return wrong;
  if (std::string wrong = check_layout(options.settings.layout, job); !wrong.empty()) return wrong;
  add_input(options, job);
  job.binding = options.mapping.binding;
  job.flush_after = isatty(1) || isatty(2) ? 30ms : 0ms;
  job.output_window = static_cast<std::uint32_t>(
      std::clamp<std::size_t>((std::size_t{32} << 20) / job.nodes.size(), 16 << 10, 1 << 20));
  return {};
}

}  // namespace cow::launch
