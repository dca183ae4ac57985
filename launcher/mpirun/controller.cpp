#include "launcher/mpirun/controller.hpp"

#include <pmix_common.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/core/file_limit.hpp"
#include "launcher/core/memory_trim.hpp"
#include "launcher/core/tree.hpp"
#include "launcher/rm/allocation.hpp"

namespace cow::launch {
namespace {

using std::string;

constexpr const char* agent_program = "/libexec/cowmpi/cow-agent";
constexpr int timed_out = 124;
constexpr Duration agent_time = 1500ms;  // the agents have to be gone, beyond the grace period

}  // namespace

string own_prefix() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  const string self(path, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t folder = self.rfind("/bin/");
  return folder == string::npos ? string() : self.substr(0, folder);
}

Controller::Controller(const Options& options, Job job, const SignalState& signals)
    : options_(options), job_(std::move(job)), signals_before_(signals),
      signals_(open_signals(
          {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, why_signal()}, nullptr)),
      nodes_(job_.nodes.size()), ranks_(job_.ranks.size()),
      outputs_(
          loop_, [this](std::uint32_t node, std::uint32_t bytes) { output_has_left(node, bytes); },
          [this](const string& what, int error) { output_failed(what, error); }),
      input_nodes_(job_.nodes.size(), job_.input_rank == all_ranks), asks_for_input_(job_.nodes.size()) {
  outputs_.decorate(options_.tag_output, options_.time_output);
  if (job_.input_rank != all_ranks) input_nodes_[job_.ranks[job_.input_rank].node] = true;
  loop_.watch(signals_, POLLIN, [this](short) { on_signal(); });
}

Controller::~Controller() { close(signals_); }

int Controller::run() {
  if (options_.timeout > 0ms) {
    loop_.after(options_.timeout, [this] {
      char seconds[32];
      snprintf(seconds, sizeof seconds, "%.10g", std::chrono::duration<double>(options_.timeout).count());
      fail(timed_out, string("the job has not ended within ") + seconds + " s (--timeout)");
    });
  }
  plan_tree();
  if (const string wrong = lack_of_descriptors(); !wrong.empty()) {
    say(wrong);
    return own_failure;
  }
  if (!options_.output_files.empty()) {
    const string wrong = outputs_.use_files(options_.output_files, static_cast<std::uint32_t>(ranks_.size()));
    if (!wrong.empty()) {
      say(wrong);
      return own_failure;
    }
  }
  start_nodes();
  loop_.run();
  return status_;
}

// ---- nodes

// Who starts whom; all agents are told.
void Controller::plan_tree() {
  for (const string& name : job_.nodes) here_.push_back(is_this_host(name));
  Settings defaults;
  const char* none[] = {nullptr};
  read_settings(none, false, defaults);
  StartPlan& start = job_.start;
  start.parents = grow_tree(here_, static_cast<std::uint32_t>(options_.settings.tree_width));
  start.agent = (options_.prefix.empty() ? own_prefix() : options_.prefix) + agent_program;
  start.srun = options_.srun && options_.settings.rsh_agent == defaults.rsh_agent;  // unless the user chose another
  start.remote_shell = options_.settings.rsh_agent;
  start.start_timeout = milliseconds(options_.settings.start_timeout);
  start.host_timeout = milliseconds(options_.settings.host_timeout);
  common_ = write_common(job_);
  ChildrenPlan plan;
  plan.here = here_;
  plan.agent_here = own_prefix() + agent_program;
  plan.signals = &signals_before_;
  if (job_.input == Input::inherited) {
    plan.input_node = job_.ranks[job_.input_rank].node;
    plan.input = 0;
  }
  ChildEvents& events = *this;
  children_ = std::make_unique<Children>(loop_, events, job_, common_, std::move(plan));
  Fences::Callbacks callbacks;
  callbacks.answer = [this](std::uint32_t child, std::uint64_t number, int status, const string& data) {
    children_->send(child, frames::FenceAnswer{number, status, data});
  };
  fences_ = std::make_unique<Fences>(job_, children_->routes(), no_node, std::move(callbacks));
}

// Said before anything is started; empty: there are enough.
string Controller::lack_of_descriptors() const {
  constexpr std::size_t own = 12;
  const std::size_t hosts = children_->count(), files = options_.output_files.empty() ? 0 : 2 * ranks_.size();
  string why = std::to_string(hosts) + (hosts == 1 ? " agent" : " agents") + " that it starts";
  if (files > 0) why += " and " + std::to_string(files) + " files (--output-filename)";
  return lack_of_files(own + hosts * files_of_child + files, "mpirun", why);
}

void Controller::start_nodes() {
  const std::uint32_t depth = depth_of(job_.start.parents);
  if (depth > 1) {
    tell(std::to_string(nodes_.size()) + " hosts are started by " + std::to_string(depth) +
         " levels of agents, at most " + std::to_string(options_.settings.tree_width) + " by each (COW_TREE_WIDTH)");
  }
  children_->start();
}

void Controller::on_child_started(std::uint32_t node, const Child& child) {
  tell("host " + job_.nodes[node] + ": started " + child.command + " (pid " + std::to_string(child.pid) + ")");
}

void Controller::on_child_words(std::uint32_t, std::string_view text) { outputs_.write_own(text); }

void Controller::on_child_watched(std::uint32_t node) {
  const std::uint32_t parent = children_->routes().parent(node);
  tell("host " + job_.nodes[node] + ": its kernel and " +
       (parent == no_node ? "this one's" : "that of host " + job_.nodes[parent]) + " watch each other");
}

void Controller::on_child_frame(const Frame& frame) {
  const std::uint32_t node = frame.node;
  const auto take = [this, node](const auto& content) { on(node, content); };
  if (!frames::hand_over(frame, frames::ToMpirun(), take)) {
    fail(own_failure, "the agent on host " + job_.nodes[node] + " says what makes no sense");
  }
}

void Controller::on(std::uint32_t node, const frames::Hello& hello) {
  nodes_[node].greeted = true;
  const std::uint32_t parent = children_->routes().parent(node);
  tell("host " + job_.nodes[node] + ": its agent answers (pid " + std::to_string(hello.pid) + ", it calls itself " +
       string(hello.host) + (parent == no_node ? ")" : ", host " + job_.nodes[parent] + " started it)"));
}

void Controller::on(std::uint32_t node, const frames::Complaint& complaint) {
  fail(own_failure, "host " + job_.nodes[node] + ": " + string(complaint.text));
}

void Controller::on(std::uint32_t node, const frames::Watched&) { on_child_watched(node); }

void Controller::on(std::uint32_t node, const frames::RemoteWords& words) { on_child_words(node, words.text); }

void Controller::on(std::uint32_t node, const frames::LostNode& lost) {
  on_child_lost(node, lost.status, string(lost.why));
  stop_when_done();
}

// An agent says it when all below it have, or were lost; who has not even answered by then never will.
void Controller::on(std::uint32_t node, const frames::Goodbye&) {
  nodes_[node].done = true;
  children_->send(node, frames::Goodbye{});
  const Routes& routes = children_->routes();
  for (const std::uint32_t other : routes.below(node)) close_node(other);
  if (routes.parent(node) != no_node) close_node(node);
}

void Controller::close_node(std::uint32_t node) {
  nodes_[node].closed = true;
  if (nodes_[node].done) return;
  for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) {
    if (job_.ranks[rank].node == node) ranks_[rank].ended = true;
  }
}

void Controller::on_child_lost(std::uint32_t node, int status, const string& why) {
  const std::vector<std::uint32_t> below = children_->routes().below(node);
  string line = why;
  if (nodes_[node].greeted && !below.empty()) {
    line.insert(std::min(line.find('\n'), line.size()),
                "; with it go the " + std::to_string(below.size()) +
                    (below.size() == 1 ? " host that it had started" : " hosts that it had started"));
  }
  close_node(node);
  for (const std::uint32_t other : below) close_node(other);
  fail(status, line);
}

void Controller::on_child_end(std::uint32_t node) {
  nodes_[node].closed = true;
  stop_when_done();
}

void Controller::reap() {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) children_->on_exit(pid, status);
}

void Controller::stop_when_done() {
  for (const Node& node : nodes_) {
    if (!node.closed) return;
  }
  if (!children_->all_gone()) {
    if (!failed_) return;  // their ends come back here
    children_->cut_off();
    children_->kill_rest();
  }
  if (outputs_.is_empty()) return loop_.stop();
  loop_.after(10ms, [this] { stop_when_done(); });
}

// ---- ranks

string describe_end(int status) {
  if (!WIFSIGNALED(status)) return " ended with status " + std::to_string(WEXITSTATUS(status));
  return " was killed by " + name_signal(WTERMSIG(status)) + (WCOREDUMP(status) ? ", core dumped" : "");
}

string Controller::who(std::uint32_t rank) const {
  string out = "rank " + std::to_string(rank) + " (";
  if (ranks_[rank].pid > 0) out += "pid " + std::to_string(ranks_[rank].pid) + " ";
  return out + "on host " + job_.nodes[job_.ranks[rank].node] + ")";
}

void Controller::on(std::uint32_t, const frames::Started& started) {
  for (const auto& [rank, pid] : started.processes) {
    started_ = true;
    if (rank >= ranks_.size()) continue;
    ranks_[rank].pid = pid;
    tell(who(rank) + " runs");
  }
  if (!std::exchange(settling_, true)) settle();
}

// The job runs: what is not urgent is done after a while, when jobs that were short are over.
void Controller::settle() {
  loop_.after(settled_after, give_back_memory);
  const bool some_are_here = std::find(here_.begin(), here_.end(), true) != here_.end();
  if (job_.start.srun && some_are_here) loop_.after(1s, [this] { listen_to_slurm(); });
}

void Controller::listen_to_slurm() {
  const auto node = static_cast<std::size_t>(std::find(here_.begin(), here_.end(), true) - here_.begin());
  slurm_ear_ = std::make_unique<SlurmSignals>(loop_, srun_command, job_.nodes[node], own_prefix() + agent_program,
                                              signals_before_, [this](int signal) {
                                                for (std::uint32_t own = 0; own < here_.size(); ++own) {
                                                  if (here_[own]) children_->send(own, frames::Signal{signal});
                                                }
                                              });
}

void Controller::on(std::uint32_t node, const frames::StartFailure& failure) {
  const int error = failure.error;
  string line = string(failure.what) + " on host " + job_.nodes[node] + ": " + strerror(error);
  const std::size_t rank = failure.rank < ranks_.size() ? failure.rank : 0;
  const Application& application = job_.applications[job_.ranks[rank].application];
  const string& name = application.argv[0];
  if (error == ENOENT && name.find('/') == string::npos &&
      access((application.directory + "/" + name).c_str(), X_OK) == 0) {
    line += " (it is not in PATH; did you mean ./" + name + "?)";
  }
  fail(error == ENOENT || error == ENOTDIR ? 127 : 126, line);
}

void Controller::on(std::uint32_t, const frames::Connected& connected) {
  if (connected.rank >= ranks_.size()) return;
  ranks_[connected.rank].connected = true;
  check_silent_leavers();
}

// A rank that has ended without MPI while others are in it: they would wait for it for ever.
void Controller::check_silent_leavers() {
  const auto in_mpi = std::find_if(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.connected; });
  const auto left = std::find_if(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.left_silently; });
  if (in_mpi == ranks_.end() || left == ranks_.end()) return;
  fail(1, who(static_cast<std::uint32_t>(left - ranks_.begin())) + " has ended without calling MPI_Init, which rank " +
              std::to_string(in_mpi - ranks_.begin()) + " has called");
}

void Controller::on(std::uint32_t, const frames::Exited& exited) {
  const auto& [rank, status, connected, finalized] = exited;
  if (rank >= ranks_.size()) return;
  ranks_[rank].ended = true;
  if (options_.report_ends) say(who(rank) + describe_end(status));
  const bool others_run = std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return !r.ended; });
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    fail(128 + signal,
         who(rank) + describe_end(status) + (signal == passed_signal_ ? ", which mpirun had received" : ""));
  } else if (WEXITSTATUS(status) != 0) {
    fail(WEXITSTATUS(status), who(rank) + describe_end(status));
  } else if (connected && !finalized && others_run) {
    fail(1, who(rank) + " ended with status 0 but without MPI_Finalize, while others run");
  } else if (!connected) {
    ranks_[rank].left_silently = true;
    check_silent_leavers();
  }
  fences_->rank_gone(rank);
}

void Controller::on(std::uint32_t, const frames::Aborted& aborted) {
  const auto& [rank, status, message] = aborted;
  if (rank >= ranks_.size()) return;
  const int code = status & 0xff;
  fail(code == 0 ? 1 : code, who(rank) + " called MPI_Abort with " + std::to_string(status) +
                                 (message.empty() ? "" : ": " + string(message)));
}

// ---- between nodes

void Controller::on(std::uint32_t node, const frames::Fence& fence) {
  fences_->arrive(node, fence.fence, fence.ranks, fence.data);
}

void Controller::on(std::uint32_t node, const frames::ModexRequest& asked) {
  if (asked.rank >= ranks_.size()) return;
  if (ranks_[asked.rank].ended) {
    return children_->send(node, frames::ModexAnswer{asked.question, PMIX_ERR_PROC_TERM_WO_SYNC, {}});
  }
  const std::uint64_t question = questions_.open(node, asked.question);
  children_->send(job_.ranks[asked.rank].node, frames::ModexQuestion{question, asked.rank, asked.without_pmix});
}

void Controller::on(std::uint32_t, const frames::ModexAnswer& answer) {
  Questions::Asked asked;
  if (!questions_.close(answer.question, asked)) return;
  children_->send(asked.node, frames::ModexAnswer{asked.number, answer.status, answer.data});
}

void Controller::on(std::uint32_t node, const frames::Event& event) {
  for (std::uint32_t other = 0; other < nodes_.size(); ++other) {
    if (other != node) children_->send(other, event);
  }
}

// ---- streams

void Controller::on(std::uint32_t node, const frames::Output& output) {
  const auto& [rank, stream, line_goes_on, bytes] = output;
  if (rank >= ranks_.size()) return;
  outputs_.write(options_.merge_output ? 1 : stream, {node, rank, string(bytes), line_goes_on});
}

// Told in portions: an answer to each line would double the work.
void Controller::output_has_left(std::uint32_t index, std::uint32_t bytes) {
  Node& node = nodes_[index];
  node.credit += bytes;
  if (node.credit < job_.output_window / 4) return;
  children_->send(index, frames::OutputCredit{std::exchange(node.credit, 0)});
}

void Controller::output_failed(const string& what, int error) {
  if (error == EPIPE) return fail(128 + SIGPIPE, "nobody reads " + what + " any more");
  fail(own_failure, "cannot write to " + what + ": " + strerror(error));
}

void Controller::on(std::uint32_t node, const frames::Bindings& bindings) {
  for (const auto& [rank, where] : bindings.ranks) {
    say("rank " + std::to_string(rank) + " on host " + job_.nodes[node] + ": " + where);
  }
}

// When several nodes read, the next bytes are for all of them, so the slowest decides.
void Controller::on(std::uint32_t node, const frames::InputCredit& credit) {
  if (!input_nodes_[node] || credit.bytes == 0) return;
  asks_for_input_[node] = true;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (input_nodes_[other] && !asks_for_input_[other] && !nodes_[other].done) return;
  }
  input_credit_ = std::min<std::uint32_t>(credit.bytes, 64 << 10);
  send_input();
}

// Reads what the ranks asked for. A terminal is read only from the foreground, where it does not stop this process.
void Controller::send_input() {
  if (input_credit_ == 0 || input_at_end_) return;
  if (isatty(0) && tcgetpgrp(0) != getpgrp()) {
    loop_.forget(0);
    loop_.after(200ms, [this] { send_input(); });
    return;
  }
  loop_.watch(0, POLLIN, [this](short) {
    if (isatty(0) && tcgetpgrp(0) != getpgrp()) return send_input();
    string buffer(input_credit_, '\0');
    const ssize_t got = read(0, buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    loop_.forget(0);
    input_credit_ = 0;
    input_at_end_ = got <= 0;
    const frames::Input input{std::string_view(buffer).substr(0, got > 0 ? static_cast<size_t>(got) : 0)};
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!input_nodes_[node]) continue;
      asks_for_input_[node] = false;
      if (job_.input_rank != all_ranks) children_->send(static_cast<std::uint32_t>(node), input);
    }
    if (job_.input_rank == all_ranks) children_->send(everyone, input);
  });
}

void Controller::say(const string& text) { outputs_.write_own("mpirun: " + text + "\n"); }

void Controller::tell(const string& text) {
  if (options_.verbose) say(text);
}

// ---- ends

void Controller::on_signal() {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGCHLD) on_user_signal(static_cast<int>(info.ssi_signo));
  }
  reap();
}

void Controller::on_user_signal(int signal) {
  if (signal == why_signal()) return ask_why();
  const bool deadly = signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
  if (deadly && (passed_signal_ != 0 || failed_ || !started_)) {
    // The second one: out at once, whatever the ranks, the agents or the reader of the output are doing.
    fail(128 + signal, "ended by " + name_signal(signal));
    outputs_.drop_all();
    end_all(0ms);
    return;
  }
  if (deadly) passed_signal_ = signal;
  children_->send(everyone, frames::Signal{signal});
  if (signal == SIGTSTP) raise(SIGSTOP);
}

// ---- why it hangs

// What a rank tells of its wait is shown; then all are asked.
void Controller::on(std::uint32_t, const frames::Why& told) {
  if (told.rank >= ranks_.size()) return;
  ask_why();
  const string prefix = "[rank " + std::to_string(told.rank) + "] why: ";
  string shown;
  for (std::string_view rest = told.lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    why_.take(told.rank, line);
    shown.append(prefix).append(line).append("\n");
  }
  outputs_.write_own(shown);
}

void Controller::ask_why() {
  constexpr Duration patience = 2s;  // a rank that sleeps looks up every second
  if (std::exchange(asking_why_, true)) return;
  children_->send(everyone, frames::Signal{why_signal()});
  loop_.after(patience, [this] {
    for (const string& sentence : std::exchange(why_, {}).conclude(static_cast<std::uint32_t>(ranks_.size())))
      say("why: " + sentence);
    asking_why_ = false;
  });
}

// The first failure decides the status and is told; the others follow from it.
void Controller::fail(int status, const string& line) {
  if (std::exchange(failed_, true)) return;
  status_ = status;
  const size_t end = line.find('\n');
  say(line.substr(0, end) + (started_ ? "; the job is ended" : "") + (end == string::npos ? "" : line.substr(end)));
  end_all(milliseconds(options_.settings.grace));
}

void Controller::end_all(milliseconds grace) {
  children_->stop_starting();
  children_->send(everyone, frames::End{grace});
  loop_.after(grace + agent_time, [this] { abandon(); });
  loop_.after(0ms, [this] { stop_when_done(); });
}

// Agents that did not end in time are cut off: their supervisors then kill all that is there.
void Controller::abandon() {
  children_->cut_off();
  for (Node& node : nodes_) node.closed = true;
  loop_.after(0ms, [this] { stop_when_done(); });
}

}  // namespace cow::launch
