#include "launcher/agent/rank_starter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/core/rank_names.hpp"

namespace cow::launch {
namespace {

void close_all(std::initializer_list<int> descriptors) {
  for (int fd : descriptors) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace

RankStarter::Outcome RankStarter::start(const std::vector<std::uint32_t>& ranks) {
  Outcome out;
  here_ = ranks;
  out.wrong = choose_binding(ranks);
  if (out.wrong.empty()) {
    make_environments();
    start_in_batches(ranks, out);
    if (job_.binding.report) report_bindings(out);
  }
  return out;
}

// What went wrong; empty when nothing did.
std::string RankStarter::choose_binding(const std::vector<std::uint32_t>& ranks) {
  const BindingPlan& wanted = job_.binding;
  if (wanted.bind == Level::none && !wanted.equal_shares && !wanted.report) return {};
  machine_ = std::make_unique<Machine>();  // takes milliseconds
  if (!machine_->topology()) return "hwloc cannot tell what this machine is like";
  const Binding chosen =
      choose_cpus(machine_->topology(), machine_->allowed(), static_cast<std::uint32_t>(ranks.size()), wanted);
  for (const std::uint32_t rank : ranks) {
    const std::uint32_t slot = job_.ranks[rank].slot;
    if (slot < chosen.of_rank.size()) cpus_[rank] = chosen.of_rank[slot];
  }
  return chosen.error;
}

void RankStarter::make_environments() {
  for (const Application& application : job_.applications) {
    std::vector<std::string>& out = environments_.emplace_back(job_.environment);
    for (const std::string& assignment : application.environment) set_variable(out, assignment);
    for (const std::string& assignment : plan_.environment) set_variable(out, assignment);
    for (const std::string& assignment : plan_.inherited->variables()) set_variable(out, assignment);
  }
}

// In batches, because each rank takes several descriptors until its process is there.
void RankStarter::start_in_batches(const std::vector<std::uint32_t>& ranks, Outcome& out) {
  for (std::size_t begin = 0; begin < ranks.size(); begin += batch) {
    if (!start_batch(&ranks[begin], std::min(batch, ranks.size() - begin), out)) return;
  }
}

// False: one of them has failed.
bool RankStarter::start_batch(const std::uint32_t* ranks, std::size_t count, Outcome& out) {
  std::vector<Starting> group(count);
  std::vector<const ProcessPlan*> plans;
  for (std::size_t i = 0; i < count; ++i) {
    prepare(group[i], ranks[i]);
    if (!group[i].process.what.empty()) break;
    plans.push_back(&group[i].plan);
  }
  std::vector<StartedProcess> processes = start_processes(plans);
  for (std::size_t i = 0; i < processes.size(); ++i) group[i].process = std::move(processes[i]);
  for (Starting& starting : group) {
    close_all({starting.plan.input, starting.plan.output, starting.plan.error});
    if (starting.process.pid > 0) {
      out.started.push_back({starting.rank, starting.process.pid, starting.output, starting.errors});
      continue;
    }
    close_all({starting.output, starting.errors});
    if (starting.process.what.empty() || !out.failure.what.empty()) continue;
    out.failure = std::move(starting.process);
    out.failed = starting.rank;
  }
  return out.failure.what.empty();
}

void RankStarter::prepare(Starting& out, std::uint32_t rank) {
  const std::uint32_t index = job_.ranks[rank].application;
  const Application& application = job_.applications[index];
  const std::vector<std::string>& environment = environments_[index];
  out.rank = rank;
  ProcessPlan& plan = out.plan;
  plan.argv = application.argv;
  plan.directory = application.directory;
  plan.environment = environment;
  for (const std::string& assignment : plan_.variables(rank)) set_variable(plan.environment, assignment);
  const auto local = std::lower_bound(here_.begin(), here_.end(), rank) - here_.begin();
  const RankNumbers numbers{rank, static_cast<std::uint32_t>(job_.ranks.size()), static_cast<std::uint32_t>(local),
                            static_cast<std::uint32_t>(here_.size())};
  for (const std::string& assignment : name_rank(numbers, job_.rank_names)) set_variable(plan.environment, assignment);
  plan.kept[0] = plan_.inherited->key();
  plan.kept[1] = plan_.inherited->memory();
  plan.signals = plan_.signals;
  if (const auto cpus = cpus_.find(rank); cpus != cpus_.end()) plan.cpus = cpus->second;

  std::string& program = programs_[index];
  if (program.empty())
    program =
        find_program(application.argv[0], application.directory, application.path, environment, out.process.error);
  plan.program = program;
  if (program.empty()) {
    const bool entered = access(application.directory.c_str(), X_OK) == 0;
    if (!entered) out.process.error = errno;
    out.process.what = entered ? "cannot run " + application.argv[0] : "cannot enter " + application.directory;
  } else {
    open_streams(out);
  }
}

void RankStarter::open_streams(Starting& out) {
  int output[2] = {-1, -1}, error[2] = {-1, -1};
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
    out.process.error = errno;
    out.process.what = "cannot make a pipe";
  } else {
    out.plan.input = plan_.input(out.rank);
    if (out.plan.input < 0) out.plan.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  out.plan.output = output[1];
  out.plan.error = error[1];
  out.output = output[0];
  out.errors = error[0];
}

// What the kernel says, not what was asked of it.
void RankStarter::report_bindings(Outcome& out) const {
  for (const Started& started : out.started) {
    const auto cpus = cpus_.find(started.rank);
    const bool bound = cpus != cpus_.end() && !cpus->second.empty();
    const std::string where = describe_cpus(machine_->topology(), affinity_of(started.pid));
    out.bindings.ranks.push_back({started.rank, (bound ? "bound to " : "not bound: ") + where});
  }
}

}  // namespace cow::launch
