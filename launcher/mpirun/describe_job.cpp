#include "launcher/mpirun/describe_job.hpp"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/layout.hpp"
#include "launcher/mpirun/soft.hpp"
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
  job.input = choose_input(is_this_host(job.nodes[job.ranks[job.input_rank].node]));
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

struct Placed {
  std::vector<std::uint32_t> host_of_rank, application_of_rank;
  std::vector<std::uint32_t> slot_of_rank;  // empty: as they follow each other on their host
};

std::uint32_t slots_of(const Host& host) { return static_cast<std::uint32_t>(std::max(host.slots, 1)); }

// How many ranks these hosts take; 0: any number.
std::uint32_t find_limit(const std::vector<Host>& hosts, std::uint32_t per_host, bool oversubscribe) {
  std::uint32_t slots = 0;
  const bool limited =
      !oversubscribe && std::all_of(hosts.begin(), hosts.end(), [](const Host& h) { return h.slots > 0; });
  for (const Host& host : hosts) slots += slots_of(host);
  const std::uint32_t dealt = per_host * static_cast<std::uint32_t>(hosts.size());
  if (!limited) return dealt;
  return dealt > 0 ? std::min(dealt, slots) : slots;
}

// Which programs go to which hosts together: those of the job, or a program's own.
struct Share {
  const std::vector<Host>& hosts;
  std::string source;
  std::vector<std::uint32_t> programs;  // their numbers
};

// How many ranks each program of the share has.
std::string count_ranks(const Options& options, const Share& share, const Spread& spread,
                        std::vector<std::uint32_t>& out) {
  std::uint32_t slots = spread.per_host * static_cast<std::uint32_t>(share.hosts.size());
  for (const Host& host : share.hosts) slots += spread.per_host == 0 ? slots_of(host) : 0;
  std::vector<RankRequest> requests;
  for (const std::uint32_t index : share.programs) {
    const Program& program = options.programs[index];
    RankRequest& request = requests.emplace_back();
    request.ranks = program.ranks > 0 ? program.ranks : slots;
    if (program.soft.empty()) continue;
    if (std::string wrong = parse_soft(program.soft, request.ranks, request.allowed); !wrong.empty()) return wrong;
  }
  out = choose_counts(requests, find_limit(share.hosts, spread.per_host, options.settings.oversubscribe));
  return {};
}

std::string place_share(const Options& options, const Share& share, Placed& out) {
  Spread spread = options.mapping.spread;
  spread.per_host = ranks_per_host(options.mapping);
  std::vector<std::uint32_t> counts;
  if (std::string wrong = count_ranks(options, share, spread, counts); !wrong.empty()) return wrong;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    out.application_of_rank.insert(out.application_of_rank.end(), counts[i], share.programs[i]);
  }
  Placement placement = place_ranks(share.hosts, static_cast<std::uint32_t>(out.application_of_rank.size()),
                                    options.settings.oversubscribe, share.source, spread);
  if (!placement.error.empty()) return placement.error;
  out.host_of_rank = std::move(placement.host_of_rank);
  if (!options.mapping.by_layout) return {};
  return arrange(options.settings.layout, share.hosts.size(), out.host_of_rank, out.slot_of_rank);
}

// Nodes are numbered in the order in which ranks come to them; a host that several programs name is one.
void add_ranks(const Share& share, const Placed& placed, std::vector<std::uint32_t>& next_slot, Job& job) {
  std::vector<std::uint32_t> node_of_host(share.hosts.size(), ~0u);
  for (std::size_t rank = 0; rank < placed.host_of_rank.size(); ++rank) {
    std::uint32_t& node = node_of_host[placed.host_of_rank[rank]];
    if (node == ~0u) {
      const std::string& name = share.hosts[placed.host_of_rank[rank]].name;
      const auto known = std::find(job.nodes.begin(), job.nodes.end(), name);
      node = static_cast<std::uint32_t>(known - job.nodes.begin());
      if (known == job.nodes.end()) job.nodes.push_back(name);
      next_slot.resize(job.nodes.size());
    }
    const std::uint32_t slot = placed.slot_of_rank.empty() ? next_slot[node]++ : placed.slot_of_rank[rank];
    job.ranks.push_back({node, placed.application_of_rank[rank], slot});
  }
}

std::vector<Share> share_out(const Options& options, const std::vector<Host>& hosts) {
  std::vector<Share> out;
  bool common = false;  // the last one is of the job's hosts
  for (std::uint32_t index = 0; index < options.programs.size(); ++index) {
    const Program& program = options.programs[index];
    const bool own = !program.hosts.empty();
    if (own) {
      out.push_back({program.hosts, program.host_source, {index}});
    } else if (common) {
      out.back().programs.push_back(index);
    } else {
      out.push_back({hosts, options.host_source, {index}});
    }
    common = !own;
  }
  return out;
}

}  // namespace

std::string place_job(const Options& options, Job& job) {
  const std::vector<Host> here{{this_host(), 0}};
  const std::vector<Host>& hosts = options.hosts.empty() ? here : options.hosts;
  const std::vector<Share> shares = share_out(options, hosts);
  if (shares.size() > 1 && options.mapping.by_layout) {
    return "--map-by layout needs one list of hosts for all programs";
  }
  std::vector<std::uint32_t> next_slot;
  for (const Share& share : shares) {
    Placed placed;
    if (std::string wrong = place_share(options, share, placed); !wrong.empty()) return wrong;
    add_ranks(share, placed, next_slot, job);
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
  job.rank_names = options.settings.rank_names;
  job.flush_after = isatty(1) || isatty(2) ? 30ms : 0ms;
  job.output_window = static_cast<std::uint32_t>(
      std::clamp<std::size_t>((std::size_t{32} << 20) / job.nodes.size(), 16 << 10, 1 << 20));
  return {};
}

}  // namespace cow::launch
