#include "launcher/agent/agent.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "launcher/agent/heirs.hpp"
#include "launcher/agent/needs.hpp"
#include "launcher/agent/supervisor.hpp"
#include "launcher/core/memory_trim.hpp"
#include "launcher/placement/hosts.hpp"

namespace cow::launch {
namespace {

constexpr Duration sweep_time = 2s;  // to wait for the last process to be gone
}  // namespace

Agent::Agent(const AgentPlan& plan)
    : plan_(plan),
      signals_(open_signals(
          {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, passed_on(SIGUSR1), passed_on(SIGUSR2)}, nullptr)),
      channel_(
          loop_, plan.in, plan.out, [this](const Frame& frame) { on_frame(frame); }, [this] { give_up(1); }),
      pmix_(loop_, *this, [this](const std::string& wrong) { pmix_started(wrong); }), lines_(loop_, *this),
      warnings_(loop_, [this](int signal) { signal_ranks(signal); }) {
  lines_.is_no_rank = [this](pid_t child) {
    const std::vector<pid_t> agents = others();
    return std::find(agents.begin(), agents.end(), child) != agents.end();
  };
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

void Agent::obey(const frames::Goodbye&) {
  dismissed_ = true;
  leave();
}

void Agent::obey(const frames::Job& frame) {
  if (over_) return;  // its end was decided while the job was on its way
  if (!job_.ranks.empty() || !read_job(frame, job_)) return complain("the description of the job makes no sense");
  self_ = job_.node;
  open_fences();
  if (const std::string wrong = lack_of_descriptors(job_, routes_->children().size()); !wrong.empty()) {
    return complain(wrong);
  }
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
  const std::vector<std::uint32_t> here = ranks_here();
  if (const std::string wrong = inheritance_.open(job_.key, here.size()); !wrong.empty()) return complain(wrong);
  if (const std::string wrong = lines_.open(job_, &inheritance_); !wrong.empty()) return complain(wrong);
  if (const std::string wrong = pmix_.open(job_); !wrong.empty()) return complain(wrong);
  if (!start_ranks(here) || running_ == 0) when_all_ended();
  loop_.after(settled_after, give_back_memory);
}

bool Agent::start_ranks(const std::vector<std::uint32_t>& here) {
  RankStarter::Plan plan;
  plan.signals = &plan_.signals;
  plan.inherited = &inheritance_;
  plan.environment = {"COW_AGENT=" + lines_.address(), "COW_JOB_SIZE=" + std::to_string(job_.ranks.size())};
  plan.variables = [this](std::uint32_t rank) { return pmix_.rank_environment(rank); };
  plan.input = [this](std::uint32_t rank) { return input_of(rank); };
  const RankStarter::Outcome outcome = RankStarter(job_, std::move(plan)).start(here);
  if (plan_.input >= 0) close(std::exchange(plan_.input, -1));
  if (!outcome.wrong.empty()) return complain(outcome.wrong), false;
  frames::Started started;
  for (const RankStarter::Started& rank : outcome.started) {
    take_started(rank);
    started.processes.push_back({rank.rank, rank.pid});
  }
  const StartedProcess& failure = outcome.failure;
  if (!failure.what.empty()) tell(frames::StartFailure{outcome.failed, failure.error, failure.what});
  tell(started);
  if (job_.binding.report) tell(outcome.bindings);
  ask_for_input();
  return true;
}

void Agent::take_started(const RankStarter::Started& started) {
  ranks_[started.rank].pid = started.pid;
  ++running_;
  output_->add(started.rank, 1, started.output);
  output_->add(started.rank, 2, started.errors);
  if (const auto input = inputs_.find(started.rank); input != inputs_.end()) input->second.rank_started(started.pid);
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

void Agent::on_signal() {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) continue;
    const auto number = static_cast<int>(info.ssi_signo);
    bool is_warning = false;
    for (int warning : {SIGUSR1, SIGUSR2}) {
      if (number != warning && number != passed_on(warning)) continue;
      warnings_.take(warning, number != warning);
      is_warning = true;
    }
    if (is_warning) continue;
    // SIGTERM is also what the kernel sends when the supervisor has died.
    if (getppid() != plan_.supervisor)
      complain("the supervisor of this host (pid " + std::to_string(plan_.supervisor) + ") is gone");
    if (getppid() == plan_.supervisor) {
      complain("the agent of this host was told to end by signal " + std::to_string(info.ssi_signo));
    }
    end(0ms);
  }
  reap();
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
  if (found == ranks_.end()) return look_after_left();  // an orphan of a rank: this process is a subreaper
  lines_.drain(found->first);
  found->second.pid = -1;
  if (status != 0 || !lives_on(found->first)) ended(found->first, status);
}

// Whether another process is the rank from now on: what it has started takes part in its place, or may do so in a moment.
bool Agent::lives_on(std::uint32_t rank) {
  constexpr Duration patience = 1s, while_others_end = 20ms;
  Rank& state = ranks_[rank];
  if (state.connected) {
    const pid_t heir = state.finalized ? 0 : child_above(lines_.process_of(rank));
    if (heir > 0) state.pid = heir;
    return heir > 0;
  }
  if (over_) return false;
  state.is_left = true;
  loop_.after(patience, [this, rank] {
    if (ranks_[rank].is_left) ended(rank, 0);
  });
  // Most often nothing is left; one look is enough for all ranks that end together.
  const bool others_run =
      std::any_of(ranks_.begin(), ranks_.end(), [](const auto& entry) { return entry.second.pid > 0; });
  if (!others_run) {
    look_after_left();
  } else if (!std::exchange(looking_soon_, true)) {
    loop_.after(while_others_end, [this] { look_after_left(); });
  }
  return true;
}

// Processes that ranks have left behind.
std::vector<pid_t> Agent::strays() const {
  std::vector<pid_t> out = own_children(), known = others();
  for (const auto& [rank, state] : ranks_) known.push_back(state.pid);
  std::sort(known.begin(), known.end());
  std::erase_if(out, [&](pid_t pid) { return std::binary_search(known.begin(), known.end(), pid); });
  return out;
}

pid_t Agent::left_of(std::uint32_t rank, const std::vector<pid_t>& strays) const {
  const auto found =
      std::find_if(strays.begin(), strays.end(), [&](pid_t pid) { return is_part_of(pid, job_.name, rank); });
  return found == strays.end() ? 0 : *found;
}

// Ranks of which nothing is left have ended.
void Agent::look_after_left() {
  looking_soon_ = false;
  const auto is_left = [](const auto& entry) { return entry.second.is_left; };
  if (std::none_of(ranks_.begin(), ranks_.end(), is_left)) return;
  const std::vector<pid_t> found = strays();
  for (const auto& [rank, state] : ranks_) {
    if (state.is_left && left_of(rank, found) == 0) ended(rank, 0);
  }
}

void Agent::ended(std::uint32_t rank, int status) {
  Rank& state = ranks_[rank];
  state.is_left = false;
  lines_.rank_gone(rank);
  fences_->rank_gone(rank);
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
  inheritance_.close();
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
  for (const auto& [rank, state] : ranks_) {
    if (state.is_left) ended(rank, 0);
  }
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

}  // namespace cow::launch
