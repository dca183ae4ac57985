#include "launcher/agent/agent.hpp"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/agent/supervisor.hpp"
#include "launcher/core/memory_trim.hpp"
#include "launcher/placement/hosts.hpp"

namespace cow::launch {
namespace {

constexpr Duration first_patience = 100ms, last_patience = 30s;
constexpr Duration sweep_time = 2s;  // to wait for the last process to be gone
constexpr int high_descriptor = 100;  // above those that shell scripts use for themselves

// The same file under a number that no script takes for its own.
int lift(int low) {
  const int high = fcntl(low, F_DUPFD_CLOEXEC, high_descriptor);
  if (high < 0) return low;
  close(low);
  return high;
}

// The job's key as a file in memory.
int open_key(const std::string& key) {
  const int low = memfd_create("cow-key", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (low < 0) return -1;
  if (write(low, key.data(), key.size()) != static_cast<ssize_t>(key.size())) return -1;
  fcntl(low, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return lift(low);
}

// The memory that the ranks of this node share: they give it its size. It exists as long as one of them does.
int open_segment() {
  const int low = memfd_create("cow-node", MFD_CLOEXEC);
  return low < 0 ? -1 : lift(low);
}

void close_all(std::initializer_list<int> descriptors) {
  for (int fd : descriptors) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace

Agent::Agent(const AgentPlan& plan)
    : plan_(plan),
      signals_(open_signals({SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, passed_on(SIGUSR1), passed_on(SIGUSR2)}, nullptr)),
      channel_(
          loop_, plan.in, plan.out, [this](const Frame& frame) { on_frame(frame); }, [this] { give_up(1); }),
      pmix_(loop_, *this, [this](const std::string& wrong) { pmix_started(wrong); }),
      lines_(loop_, *this) {
  signal(SIGPIPE, SIG_IGN);
  loop_.watch(signals_, POLLIN, [this](short) { on_signal(); });
}

int Agent::run() {
  channel_.send_greeting();
  const std::string host = this_host();
  tell(frames::Hello{protocol_version, getpid(), host});
  loop_.run();
  kill_all_children(sweep_time);
  return status_;
}

void Agent::complain(const std::string& text) {
  status_ = 1;
  tell(frames::Complaint{text});
}

void Agent::give_up(int status) {
  kill_all_children(sweep_time);
  _exit(status);
}

void Agent::on_frame(const Frame& frame) {
  const bool first = self_ == unknown_node;  // the first frame that is for one node is the job, for this one
  const bool for_this = frame.node == everyone || frame.node == self_ || first;
  if (children_ && (!for_this || frame.node == everyone)) children_->pass_on(frame);
  if (!for_this) return;
  if (!frames::hand_over(frame, frames::ToAgents(), [this](const auto& content) { obey(content); })) {
    complain("mpirun said something that this agent does not know");
  }
}

void Agent::obey(const frames::Input& input) {
  for (auto& [rank, pipe] : inputs_) pipe.take(input.bytes);
  input_asked_ = false;
  ask_for_input();
}

void Agent::obey(const frames::OutputCredit& credit) {
  if (output_) output_->credit(credit.bytes);
}

void Agent::obey(const frames::Signal& signal) { signal_ranks(signal.number); }

void Agent::obey(const frames::End& how) { end(how.grace); }

void Agent::obey(const frames::FenceAnswer& answer) {
  if (fences_) fences_->answered(answer.fence, answer.status, answer.data);
}

void Agent::obey(const frames::ModexQuestion& asked) {
  if (!modex_.open(asked.question, asked.rank)) return on_modex_answer(asked.question, pmix_process_gone, {});
  if (asked.without_pmix) return lines_.ask_local(asked.question, asked.rank);
  ask_local(asked.question, asked.rank, first_patience);
}

void Agent::obey(const frames::ModexAnswer& answer) { answer_modex(answer.question, answer.status, answer.data); }

void Agent::obey(const frames::Event& event) {
  if (pmix_.server()) pmix_.server()->tell_local(event.status, event.rank, event.infos);
}

void Agent::obey(const frames::Goodbye&) {
  dismissed_ = true;
  leave();
}

void Agent::obey(const frames::Job& frame) {
  if (over_) return;  // its end was decided while the job was on its way
  if (!job_.ranks.empty() || !read_job(frame, job_)) return complain("the description of the job makes no sense");
  self_ = job_.node;
  open_fences();
  start_children(frame.common);  // before all else: it takes long, and most of that is waiting
  output_ = std::make_unique<RankOutput>(loop_, channel_, self_, job_.output_window, job_.flush_after);
  if (plan_.remote) {
    keepalive_ = std::make_unique<Keepalive>(loop_, job_.key, job_.node, [this] { give_up(parent_is_silent); });
    keepalive_->connect(job_.keepalive);
  }
  output_->on_empty = [this] {
    finished_ = true;
    say_goodbye();
  };
  if (const std::string wrong = lines_.open(job_); !wrong.empty()) return complain(wrong);
  if (const std::string wrong = pmix_.open(job_); !wrong.empty()) return complain(wrong);
  if (!start_ranks(ranks_here()) || running_ == 0) when_all_ended();
  loop_.after(settled_after, give_back_memory);
}

std::vector<std::string> Agent::environment_of(const Application& application, const Inherited& inherited) const {
  std::vector<std::string> out = job_.environment;
  for (const std::string& assignment : application.environment) set_variable(out, assignment);
  set_variable(out, "COW_AGENT=" + lines_.address());
  set_variable(out, "COW_JOB_SIZE=" + std::to_string(job_.ranks.size()));
  set_variable(out, "COW_KEY_FD=" + std::to_string(inherited.key));
  if (inherited.segment >= 0) set_variable(out, "COW_SHM_FD=" + std::to_string(inherited.segment));
  return out;
}

Agent::Inherited Agent::open_inherited() const {
  return {open_key(job_.key), ranks_here().size() > 1 ? open_segment() : -1};
}

bool Agent::start_ranks(const std::vector<std::uint32_t>& here) {
  const Inherited inherited = open_inherited();
  if (inherited.key < 0) return complain(std::string("no memory for the job's key: ") + strerror(errno)), false;
  std::vector<std::vector<std::string>> environments;
  for (const Application& application : job_.applications)
    environments.push_back(environment_of(application, inherited));
  std::unique_ptr<Machine> machine;  // looking at it takes milliseconds
  Binding binding;
  binding.of_rank.resize(here.size());
  const BindingPlan& wanted = job_.binding;
  if (wanted.bind != Level::none || wanted.equal_shares || wanted.report) {
    machine = std::make_unique<Machine>();
    if (!machine->topology()) return complain("hwloc cannot tell what this machine is like"), false;
    Binding chosen = choose_cpus(machine->topology(), machine->allowed(), static_cast<std::uint32_t>(here.size()), wanted);
    if (!chosen.error.empty()) return complain(chosen.error), false;
    for (std::size_t i = 0; i < here.size(); ++i) {
      const std::uint32_t slot = job_.ranks[here[i]].slot;
      if (slot < chosen.of_rank.size()) binding.of_rank[i] = chosen.of_rank[slot];
    }
  }
  const std::vector<std::uint32_t> numbers = start_in_batches(here, environments, inherited, binding);
  close_all({inherited.key, inherited.segment});
  if (plan_.input >= 0) close(plan_.input);
  frames::Started started;
  for (std::uint32_t rank : numbers) started.processes.push_back({rank, ranks_[rank].pid});
  tell(started);
  if (wanted.report) {
    frames::Bindings report;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      // What the kernel says, not what was asked of it.
      const std::string where = describe_cpus(machine->topology(), affinity_of(ranks_[numbers[i]].pid));
      report.ranks.push_back({numbers[i], (binding.of_rank[i].empty() ? "not bound: " : "bound to ") + where});
    }
    tell(report);
  }
  ask_for_input();
  return true;
}

std::vector<std::uint32_t> Agent::ranks_here() const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t rank = 0; rank < job_.ranks.size(); ++rank) {
    if (job_.ranks[rank].node == job_.node) out.push_back(rank);
  }
  return out;
}

// The descriptor that the rank reads from; -1: it gets /dev/null.
int Agent::input_of(std::uint32_t rank) {
  if (job_.input_rank != all_ranks && job_.input_rank != rank) return -1;
  if (job_.input == Input::inherited) return plan_.input >= 0 ? dup(plan_.input) : -1;
  if (job_.input == Input::none) return -1;
  return inputs_.try_emplace(rank, loop_, [this] { ask_for_input(); }).first->second.open(job_.input);
}

// More is asked for when all ranks that read have read what came: a slow one holds the others back, here and elsewhere.
void Agent::ask_for_input() {
  constexpr std::uint32_t portion = 64 << 10;  // bytes
  if (inputs_.empty() || input_asked_) return;
  std::size_t open = 0;
  for (const auto& [rank, input] : inputs_) {
    if (!input.is_open()) continue;
    if (!input.wants()) return;
    ++open;
  }
  // Nobody here reads any more: said only where others may, elsewhere.
  if (open == 0 && job_.input_rank != all_ranks) return;
  input_asked_ = true;
  tell(frames::InputCredit{portion});
}

// Starts ranks until one fails; the result is those that run. In batches, because each rank takes several descriptors
// until its process is there.
std::vector<std::uint32_t> Agent::start_in_batches(const std::vector<std::uint32_t>& ranks,
                                                   const std::vector<std::vector<std::string>>& environments,
                                                   const Inherited& inherited, const Binding& binding) {
  constexpr std::size_t batch = 64;
  std::vector<std::uint32_t> out;
  for (std::size_t begin = 0; begin < ranks.size(); begin += batch) {
    std::vector<Starting> group(std::min(batch, ranks.size() - begin));
    std::vector<const ProcessPlan*> plans;
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::uint32_t rank = ranks[begin + i];
      prepare(group[i], rank, environments[job_.ranks[rank].application], inherited, binding.of_rank[begin + i]);
      if (!group[i].process.what.empty()) break;
      plans.push_back(&group[i].plan);
    }
    std::vector<StartedProcess> processes = start_processes(plans);
    for (std::size_t i = 0; i < processes.size(); ++i) group[i].process = std::move(processes[i]);
    bool good = true;
    for (Starting& starting : group) {
      if (take_started(starting)) {
        out.push_back(starting.rank);
      } else {
        if (good && !starting.process.what.empty()) report_failure(starting);
        good = good && starting.process.what.empty();
      }
    }
    if (!good) break;
  }
  return out;
}

void Agent::prepare(Starting& out, std::uint32_t rank, const std::vector<std::string>& environment,
                    const Inherited& inherited, const Cpus& cpus) {
  const std::uint32_t index = job_.ranks[rank].application;
  const Application& application = job_.applications[index];
  out.rank = rank;
  ProcessPlan& plan = out.plan;
  plan.argv = application.argv;
  plan.directory = application.directory;
  plan.environment = environment;
  for (const std::string& assignment : pmix_.rank_environment(rank)) set_variable(plan.environment, assignment);
  plan.kept[0] = inherited.key;
  plan.kept[1] = inherited.segment;
  plan.signals = &plan_.signals;
  plan.cpus = cpus;

  std::string& program = programs_[index];
  if (program.empty()) program = find_program(application.argv[0], application.directory, environment, out.process.error);
  plan.program = program;
  int output[2] = {-1, -1}, error[2] = {-1, -1};
  if (plan.program.empty()) {
    out.process.what = "cannot run " + application.argv[0];
  } else if (pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
    out.process.error = errno;
    out.process.what = "cannot make a pipe";
  } else {
    plan.input = input_of(rank);
    if (plan.input < 0) plan.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  plan.output = output[1];
  plan.error = error[1];
  out.output = output[0];
  out.errors = error[0];
}

// False: there is no process.
bool Agent::take_started(Starting& starting) {
  close_all({starting.plan.input, starting.plan.output, starting.plan.error});
  const pid_t pid = starting.process.pid;
  if (pid < 0) {
    close_all({starting.output, starting.errors});
    return false;
  }
  ranks_[starting.rank].pid = pid;
  ++running_;
  output_->add(starting.rank, 1, starting.output);
  output_->add(starting.rank, 2, starting.errors);
  if (const auto input = inputs_.find(starting.rank); input != inputs_.end()) input->second.rank_started(pid);
  return true;
}

void Agent::report_failure(const Starting& starting) {
  tell(frames::StartFailure{starting.rank, starting.process.error, starting.process.what});
}

void Agent::on_signal() {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;
    const auto number = static_cast<int>(info.ssi_signo);
    bool is_warning = false;
    for (int warning : {SIGUSR1, SIGUSR2}) {
      if (number != warning && number != passed_on(warning)) continue;
      on_warning(warning, number != warning);
      is_warning = true;
    }
    if (is_warning) continue;
    // SIGTERM is also what the kernel sends when the supervisor has died.
    if (getppid() != plan_.supervisor) complain("the supervisor of this host (pid " + std::to_string(plan_.supervisor) + ") is gone");
    if (getppid() == plan_.supervisor) {
      complain("the agent of this host was told to end by signal " + std::to_string(info.ssi_signo));
    }
    end(0ms);
  }
  reap();
}

// A resource manager warns the job: its own process here, which is the supervisor, or this one, and then it is for the ranks,
// too; or every process that it knows of, and then they have it already.
void Agent::on_warning(int signal, bool from_supervisor) {
  constexpr Duration while_others_may_come = 300ms;
  Warning& warning = warnings_[signal];
  (from_supervisor ? warning.from_supervisor : warning.direct) = true;
  if (std::exchange(warning.pending, true)) return;
  loop_.after(while_others_may_come, [this, signal] {
    const Warning seen = std::exchange(warnings_[signal], {});
    if (!seen.from_supervisor || !seen.direct) signal_ranks(signal);
  });
}

void Agent::reap() {
  // A PMIx_Finalize is posted before its rank can go on to exit, so it is here by now.
  if (pmix_.server()) pmix_.server()->drain();
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (!children_ || !children_->on_exit(pid, status)) on_exit(pid, status);
  }
}

void Agent::on_exit(pid_t pid, int status) {
  const auto found =
      std::find_if(ranks_.begin(), ranks_.end(), [&](const auto& entry) { return entry.second.pid == pid; });
  if (found == ranks_.end()) return;  // an orphan of a rank: this process is a subreaper
  auto& [rank, state] = *found;
  lines_.drain(rank);
  lines_.rank_gone(rank);
  fences_->rank_gone(rank);
  state.pid = -1;
  output_->drain(rank);
  --running_;
  tell(frames::Exited{rank, status, state.connected, state.finalized});
  for (std::uint64_t question : modex_.rank_gone(rank)) tell(frames::ModexAnswer{question, pmix_process_gone, {}});
  if (const auto input = inputs_.find(rank); input != inputs_.end()) input->second.close_pipe();
  if (running_ == 0) when_all_ended();
}

// What the ranks left behind goes before their output is taken as complete.
void Agent::when_all_ended() {
  ending_ = true;
  if (kill_timer_) loop_.cancel(std::exchange(kill_timer_, 0));
  kill_all_children(sweep_time, others());
  output_->finish();
}

// When nothing more is to come of this node, nor of any below it.
void Agent::say_goodbye() {
  if (!finished_ || said_goodbye_ || (children_ && !children_->all_done())) return;
  said_goodbye_ = true;
  tell(frames::Goodbye{});
}

// Those below have been dismissed before.
void Agent::leave() {
  constexpr Duration patience = 1s;
  if (!children_ || children_->all_gone()) return loop_.stop();
  loop_.after(patience, [this] { loop_.stop(); });
}

// Processes that are no ranks, nor left by any.
std::vector<pid_t> Agent::others() const { return children_ ? children_->processes() : std::vector<pid_t>(); }

void Agent::signal_ranks(int signal) {
  for (const auto& [rank, state] : ranks_) {
    if (state.pid > 0) kill(-state.pid, signal);
  }
}

void Agent::end(milliseconds grace) {
  over_ = true;
  if (children_) children_->stop_starting();
  if (running_ == 0) {
    if (!ending_ && output_) when_all_ended();
    if (!output_) {
      finished_ = true;
      say_goodbye();
    }
    return;
  }
  if (kill_timer_) loop_.cancel(std::exchange(kill_timer_, 0));
  if (grace == 0ms) {
    signal_ranks(SIGKILL);
    kill_descendants(others());
    return;
  }
  signal_ranks(SIGTERM);
  signal_ranks(SIGCONT);  // a stopped one could not act on it
  kill_timer_ = loop_.after(grace, [this] {
    kill_timer_ = 0;
    end(0ms);
  });
}

// ---- the agents below

// What arrives from below goes up once, when all that take part have come.
void Agent::open_fences() {
  routes_ = std::make_unique<Routes>(job_.start.parents, self_);
  Fences::Callbacks callbacks;
  callbacks.answer = [this](std::uint32_t who, std::uint64_t number, int status, const std::string& data) {
    if (who == self_) return answer_fence(number, status, data);
    children_->send(who, frames::FenceAnswer{number, status, data});
  };
  callbacks.arrive = [this](std::uint64_t number, const std::vector<std::uint32_t>& ranks, const std::string& data) {
    tell(frames::Fence{number, ranks, data});
  };
  fences_ = std::make_unique<Fences>(job_, *routes_, self_, std::move(callbacks));
}

void Agent::start_children(std::string_view common) {
  if (routes_->children().empty()) return;
  common_ = common;
  ChildrenPlan plan;
  plan.self = self_;
  plan.self_name = job_.nodes[self_];
  plan.signals = &plan_.signals;
  ChildEvents& events = *this;
  children_ = std::make_unique<Children>(loop_, events, job_, common_, std::move(plan));
  children_->start();
}

void Agent::on_child_frame(const Frame& frame) {
  // What makes no sense goes on to mpirun, which says so.
  frames::Fence fence;
  frames::Exited exited;
  if (frame.kind == Kind::fence && read_fields(frame.body, fence)) {
    return fences_->arrive(frame.node, fence.fence, std::move(fence.ranks), fence.data);
  }
  if (frame.kind == Kind::exited && read_fields(frame.body, exited)) fences_->rank_gone(exited.rank);
  channel_.pass_on(frame);
  if (frame.kind == Kind::goodbye) say_goodbye();
}

void Agent::on_child_lost(std::uint32_t node, int status, const std::string& why) {
  channel_.send(node, frames::LostNode{status, why});
}

void Agent::on_child_words(std::uint32_t node, std::string_view text) {
  channel_.send(node, frames::RemoteWords{text});
}

void Agent::on_child_watched(std::uint32_t node) { channel_.send(node, frames::Watched{}); }

void Agent::on_child_end(std::uint32_t) {
  say_goodbye();
  if (dismissed_) leave();
}

// ---- what the ranks want of the rest of the job

void Agent::on_connected(std::uint32_t rank) {
  ranks_[rank].connected = true;
  ranks_[rank].finalized = false;
  tell(frames::Connected{rank});
}

void Agent::on_finalized(std::uint32_t rank) { ranks_[rank].finalized = true; }

void Agent::on_abort(std::uint32_t rank, int status, std::string_view message) {
  output_->drain(rank);
  tell(frames::Aborted{rank, status, message});
}

void Agent::on_fence(std::uint64_t fence, const std::vector<std::uint32_t>& ranks, milliseconds limit,
                     std::string_view data) {
  fences_->arrive(self_, fence, ranks, data);
  if (limit > 0ms) {
    loop_.after(limit, [this, fence] { answer_fence(fence, pmix_timed_out, {}); });
  }
}

void Agent::on_modex_request(std::uint64_t question, std::uint32_t rank, milliseconds limit) {
  if (rank >= job_.ranks.size()) return answer_modex(question, pmix_not_found, {});
  tell(frames::ModexRequest{question, rank, (question & RankLines::ours) != 0});
  if (limit > 0ms) {
    loop_.after(limit, [this, question] { answer_modex(question, pmix_timed_out, {}); });
  }
}

// The first rank that wants PMIx has connected.
void Agent::pmix_started(const std::string& wrong) {
  if (!wrong.empty()) return complain(wrong);
  for (const auto& [question, rank] : std::exchange(for_pmix_, {})) {
    if (modex_.is_open(question)) ask_local(question, rank, first_patience);
  }
}

void Agent::answer_fence(std::uint64_t fence, int status, std::string_view data) {
  if (fence & RankLines::ours) return lines_.answer_fence(fence, status == pmix_success);
  if (pmix_.server()) pmix_.server()->answer_fence(fence, status, data);
}

void Agent::answer_modex(std::uint64_t question, int status, std::string_view data) {
  if ((question & RankLines::ours) == 0) {
    if (pmix_.server()) pmix_.server()->answer_modex(question, status, data);
    return;
  }
  const AgentStatus what = status == pmix_success        ? AgentStatus::good
                           : status == pmix_process_gone ? AgentStatus::gone
                           : status == pmix_not_found    ? AgentStatus::unknown_rank
                                                                  : AgentStatus::failed;
  lines_.answer_modex(question, what, data);
}

// PMIx 4.2.2 now and then forgets a question that came before its rank had put anything; asked again, it answers.
void Agent::ask_local(std::uint64_t question, std::uint32_t rank, Duration patience) {
  if (!pmix_.server()) {
    for_pmix_.emplace_back(question, rank);
    return;
  }
  pmix_.server()->ask_local(question, rank);
  loop_.after(patience, [this, question, rank, patience] {
    if (modex_.is_open(question)) ask_local(question, rank, std::min(patience * 2, last_patience));
  });
}

void Agent::on_modex_answer(std::uint64_t question, int status, std::string_view data) {
  // A rank that was gone when it was asked about has no open question, but must be answered.
  modex_.close(question);
  tell(frames::ModexAnswer{question, status, data});
}

void Agent::on_event(int status, std::uint32_t rank, std::string_view infos) {
  tell(frames::Event{status, rank, infos});
}

void Agent::on_why(std::uint32_t rank, std::string_view lines) { tell(frames::Why{rank, lines}); }

}  // namespace cow::launch
