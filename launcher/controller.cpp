#include "launcher/controller.hpp"

#include <fcntl.h>
#include <pmix_common.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/allocation.hpp"

namespace cow::launch {
namespace {

using std::string;

constexpr const char* agent_program = "/libexec/cowmpi/cow-agent";
constexpr int own_failure = 125;    // the job could not be started or carried on, through no fault of a rank
constexpr int timed_out = 124;
constexpr int agent_time = 1500;    // ms the agents have to be gone, beyond the grace period
constexpr int reap_time = 500;      // ms between the end of a channel and the end of its process
constexpr size_t most_said = 16 << 10;

}  // namespace

string own_prefix() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  const string self(path, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t folder = self.rfind("/bin/");
  return folder == string::npos ? string() : self.substr(0, folder);
}

Controller::Controller(const Options& options, Job job, const SignalState& signals)
    : options_(options),
      job_(std::move(job)),
      signals_before_(signals),
      signals_(open_signals(
          {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, why_signal()}, nullptr)),
      nodes_(job_.nodes.size()),
      ranks_(job_.ranks.size()),
      fences_(job_, [this](std::uint32_t node, std::uint64_t number, int status, const string& data) {
        Writer body;
        body.u64(number).u32(static_cast<std::uint32_t>(status)).text(data);
        nodes_[node].channel->send(Kind::fence_answer, body);
      }),
      outputs_(
          loop_, [this](std::uint32_t node, std::uint32_t bytes) { output_has_left(node, bytes); },
          [this](const string& what, int error) { output_failed(what, error); }),
      input_nodes_(job_.nodes.size(), job_.input_rank == all_ranks),
      asks_for_input_(job_.nodes.size()) {
  outputs_.decorate(options_.tag_output, options_.time_output);
  if (job_.input_rank != all_ranks) input_nodes_[job_.ranks[job_.input_rank].node] = true;
  loop_.watch(signals_, POLLIN, [this](short) { on_signal(); });
}

Controller::~Controller() { close(signals_); }

int Controller::run() {
  if (options_.timeout > 0) {
    loop_.after(options_.timeout * millisecond, [this] {
      fail(timed_out, "the job has not ended within " + std::to_string(options_.timeout / 1000.0).substr(0, 6) +
                          " s (--timeout)");
    });
  }
  if (!options_.output_files.empty()) {
    const string wrong = outputs_.use_files(options_.output_files, static_cast<std::uint32_t>(ranks_.size()));
    if (!wrong.empty()) {
      say(wrong);
      return own_failure;
    }
  }
  watch_hosts();
  start_nodes();
  loop_.run();
  return status_;
}

// ---- nodes

bool Controller::start_nodes() {
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    if (!start(node)) {
      abandon();
      return false;
    }
  }
  loop_.after(options_.settings.start_timeout * millisecond, [this] {
    for (const Node& node : nodes_) {
      if (!node.greeted && !node.closed) return fail(own_failure, explain_loss(node));
    }
  });
  return true;
}

bool Controller::start(std::uint32_t index) {
  Node& node = nodes_[index];
  node.name = job_.nodes[index];
  node.is_here = is_here(node.name);
  NodeStart how;
  how.agent = (node.is_here || options_.prefix.empty() ? own_prefix() : options_.prefix) + agent_program;
  const char* none[] = {nullptr};
  Settings defaults;
  read_settings(none, false, defaults);
  how.srun = options_.srun && options_.settings.rsh_agent == defaults.rsh_agent;  // unless the user chose another
  how.remote_shell = how.srun ? srun_command : options_.settings.rsh_agent;
  how.signals = &signals_before_;
  if (input_nodes_[index] && job_.input == Input::inherited) how.input = fcntl(0, F_DUPFD_CLOEXEC, 3);
  int fds[2] = {-1, -1};
  const string wrong = start_node(node, how, fds);
  if (how.input >= 0) close(how.input);
  if (!wrong.empty()) {
    node.closed = node.reaped = true;
    fail(own_failure, "cannot start on host " + node.name + ": " + wrong);
    return false;
  }
  node.channel = std::make_unique<Channel>(
      loop_, fds[0], fds[1], [this, index](Kind kind, Reader body) { on_frame(index, kind, body); },
      [this, index] { on_channel_end(index); });
  node.channel->expect_greeting();
  tell("host " + node.name + ": started " + node.command + " (pid " + std::to_string(node.pid) + ")");
  if (node.error_fd >= 0) {
    fcntl(node.error_fd, F_SETFL, O_NONBLOCK);
    loop_.watch(node.error_fd, POLLIN, [this, index](short) { on_node_error(index); });
  }
  return true;
}

// What the remote shell says is kept for a message until the agent answers; later it is passed on.
void Controller::on_node_error(std::uint32_t index) {
  Node& node = nodes_[index];
  char buffer[4096];
  const ssize_t got = read(node.error_fd, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    loop_.forget(node.error_fd);
    close(std::exchange(node.error_fd, -1));
    return;
  }
  const std::string_view text(buffer, static_cast<size_t>(got));
  if (node.greeted) {
    outputs_.write_own(text);
  } else if (node.said.size() < most_said) {
    node.said.append(text);
  }
}

void Controller::on_frame(std::uint32_t node, Kind kind, Reader body) {
  switch (kind) {
    case Kind::hello: return on_hello(node, body);
    case Kind::started: return on_started(body);
    case Kind::start_failure: return on_start_failure(node, body);
    case Kind::output: return on_output(node, body);
    case Kind::input_credit:
      return on_input_credit(node, body.u32());
    case Kind::bindings: return on_bindings(node, body);
    case Kind::connected: return on_connected(body);
    case Kind::exited: return on_exited(body);
    case Kind::aborted: return on_aborted(body);
    case Kind::fence: return on_fence(node, body);
    case Kind::modex_request: return on_modex_request(node, body);
    case Kind::modex_answer: return on_modex_answer(body);
    case Kind::event: return on_event(node, body);
    case Kind::complaint: return fail(own_failure, "host " + nodes_[node].name + ": " + string(body.text()));
    case Kind::goodbye:
      nodes_[node].done = true;
      nodes_[node].channel->send(Kind::goodbye);
      return;
    default: return fail(own_failure, "the agent on host " + nodes_[node].name + " says what makes no sense");
  }
}

void Controller::on_hello(std::uint32_t index, Reader body) {
  Node& node = nodes_[index];
  const std::uint32_t version = body.u32();
  const std::uint32_t pid = body.u32();
  node.host = body.text();
  // What a login script said came before the greeting, but through another pipe.
  if (node.error_fd >= 0) on_node_error(index);
  node.greeted = true;
  tell("host " + node.name + ": its agent answers (pid " + std::to_string(pid) + ", it calls itself " + node.host + ")");
  if (version != protocol_version) {
    return fail(own_failure, "host " + node.name + " has another version of COW MPI (its agent speaks protocol " +
                                 std::to_string(version) + ", this mpirun " + std::to_string(protocol_version) + ")");
  }
  if (failed_) return node.channel->send(Kind::end, Writer().u32(0));
  node.channel->send(Kind::job, write_job(common_, index));
}

void Controller::on_channel_end(std::uint32_t index) {
  nodes_[index].closed = true;
  if (!nodes_[index].reaped) {
    loop_.after(reap_time * millisecond, [this, index] {
      if (!nodes_[index].reaped) judge(index);
    });
  }
  reap();
  if (nodes_[index].reaped) judge(index);
}

void Controller::reap() {
  for (std::uint32_t index = 0; index < nodes_.size(); ++index) {
    Node& node = nodes_[index];
    if (node.reaped || node.pid <= 0 || waitpid(node.pid, &node.wait_status, WNOHANG) != node.pid) continue;
    node.reaped = true;
    if (node.error_fd >= 0) on_node_error(index);
    if (node.closed) judge(index);
  }
}

// The node's channel is at its end; its process as well, unless it took too long.
void Controller::judge(std::uint32_t index) {
  Node& node = nodes_[index];
  if (!node.done) {
    const bool killed = node.greeted && node.reaped && WIFEXITED(node.wait_status) && WEXITSTATUS(node.wait_status) > 128;
    fail(killed ? WEXITSTATUS(node.wait_status) : own_failure, explain_loss(node));
    for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) {
      if (job_.ranks[rank].node == index) ranks_[rank].ended = true;
    }
  }
  stop_when_done();
}

void Controller::stop_when_done() {
  for (Node& node : nodes_) {
    if (!node.closed) return;
    if (!node.reaped && node.pid > 0) {
      if (!failed_ && node.done) return;  // reap() comes back here
      kill(node.pid, SIGKILL);
      waitpid(node.pid, &node.wait_status, 0);
      node.reaped = true;
    }
  }
  if (outputs_.is_empty()) return loop_.stop();
  loop_.after(10 * millisecond, [this] { stop_when_done(); });
}

void Controller::watch_hosts() {
  const bool any = std::any_of(job_.nodes.begin(), job_.nodes.end(), [&](const string& name) { return !is_here(name); });
  if (any) {
    lifelines_ = std::make_unique<LifelineServer>(
        loop_, job_.key, static_cast<std::uint32_t>(options_.settings.host_timeout),
        [this](std::uint32_t node) {
          if (node < nodes_.size()) tell("host " + nodes_[node].name + ": its kernel and this one's watch each other");
        },
        [this](std::uint32_t node, bool silent) { on_lost(node, silent); });
    job_.lifeline = lifelines_->open();
  }
  common_ = write_common(job_);
}

bool Controller::is_here(const string& name) const { return options_.hosts.empty() || is_this_host(name); }

void Controller::on_lost(std::uint32_t index, bool silent) {
  if (index >= nodes_.size() || nodes_[index].closed || nodes_[index].done) return;
  Node& node = nodes_[index];
  if (!silent) {
    // The agent's end, or that of its remote shell, tells more; it only takes another way.
    loop_.after(agent_time * millisecond, [this, index] { on_lost(index, true); });
    return;
  }
  node.channel->close();
  node.closed = true;
  if (node.pid > 0 && !node.reaped) kill(node.pid, SIGTERM);
  for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) {
    if (job_.ranks[rank].node == index) ranks_[rank].ended = true;
  }
  fail(own_failure, "host " + node.name + " is lost: no sign of life has come from it for " +
                        std::to_string(options_.settings.host_timeout / 1000.0).substr(0, 4) + " s (COW_HOST_TIMEOUT)");
  stop_when_done();
}

// ---- ranks

string Controller::who(std::uint32_t rank) const {
  string out = "rank " + std::to_string(rank) + " (";
  if (ranks_[rank].pid > 0) out += "pid " + std::to_string(ranks_[rank].pid) + " ";
  return out + "on host " + job_.nodes[job_.ranks[rank].node] + ")";
}

void Controller::on_started(Reader body) {
  for (std::uint32_t left = body.count(8); left > 0; --left) {
    const std::uint32_t rank = body.u32();
    const std::uint32_t pid = body.u32();
    if (rank < ranks_.size()) ranks_[rank].pid = static_cast<pid_t>(pid);
    started_ = true;
  }
}

void Controller::on_start_failure(std::uint32_t node, Reader body) {
  const std::uint32_t rank = body.u32();
  const auto error = static_cast<int>(body.u32());
  string line = string(body.text()) + " on host " + nodes_[node].name + ": " + strerror(error);
  const Application& application = job_.applications[job_.ranks[rank < ranks_.size() ? rank : 0].application];
  const string& name = application.argv[0];
  if (error == ENOENT && name.find('/') == string::npos && access((application.directory + "/" + name).c_str(), X_OK) == 0) {
    line += " (it is not in PATH; did you mean ./" + name + "?)";
  }
  fail(error == ENOENT || error == ENOTDIR ? 127 : 126, line);
}

void Controller::on_connected(Reader body) {
  const std::uint32_t rank = body.u32();
  if (rank >= ranks_.size()) return;
  ranks_[rank].connected = true;
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

void Controller::on_exited(Reader body) {
  const std::uint32_t rank = body.u32();
  const auto status = static_cast<int>(body.u32());
  const std::uint8_t flags = body.u8();
  if (!body.good() || rank >= ranks_.size()) return;
  ranks_[rank].ended = true;
  const bool others_run = std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return !r.ended; });
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    fail(128 + signal, who(rank) + " was killed by " + name_signal(signal) +
                           (WCOREDUMP(status) ? ", core dumped" : "") +
                           (signal == passed_signal_ ? ", which mpirun had received" : ""));
  } else if (WEXITSTATUS(status) != 0) {
    fail(WEXITSTATUS(status), who(rank) + " ended with status " + std::to_string(WEXITSTATUS(status)));
  } else if ((flags & exit_connected) && !(flags & exit_finalized) && others_run) {
    fail(1, who(rank) + " ended with status 0 but without MPI_Finalize, while others run");
  } else if (!(flags & exit_connected)) {
    ranks_[rank].left_silently = true;
    check_silent_leavers();
  }
  fences_.rank_gone(rank);
}

void Controller::on_aborted(Reader body) {
  const std::uint32_t rank = body.u32();
  const auto status = static_cast<int>(body.u32());
  const std::string_view message = body.text();
  if (!body.good() || rank >= ranks_.size()) return;
  const int code = status & 0xff;
  fail(code == 0 ? 1 : code, who(rank) + " called MPI_Abort with " + std::to_string(status) +
                                 (message.empty() ? "" : ": " + string(message)));
}

// ---- between nodes

void Controller::on_fence(std::uint32_t node, Reader body) {
  const std::uint64_t number = body.u64();
  body.u32();  // the limit: kept by the agent
  std::vector<std::uint32_t> ranks(body.count(4));
  for (std::uint32_t& rank : ranks) rank = body.u32();
  const std::string_view data = body.text();
  if (body.good()) fences_.arrive(node, number, std::move(ranks), data);
}

void Controller::on_modex_request(std::uint32_t node, Reader body) {
  const std::uint64_t number = body.u64();
  const std::uint32_t rank = body.u32();
  if (!body.good() || rank >= ranks_.size()) return;
  if (ranks_[rank].ended) {
    Writer answer;
    answer.u64(number).u32(static_cast<std::uint32_t>(PMIX_ERR_PROC_TERM_WO_SYNC)).text({});
    return nodes_[node].channel->send(Kind::modex_answer, answer);
  }
  const std::uint64_t question = questions_.open(node, number);
  nodes_[job_.ranks[rank].node].channel->send(Kind::modex_question, Writer().u64(question).u32(rank));
}

void Controller::on_modex_answer(Reader body) {
  const std::uint64_t question = body.u64();
  const std::uint32_t status = body.u32();
  const std::string_view data = body.text();
  Questions::Asked asked;
  if (!body.good() || !questions_.close(question, asked)) return;
  nodes_[asked.node].channel->send(Kind::modex_answer, Writer().u64(asked.number).u32(status).text(data));
}

void Controller::on_event(std::uint32_t node, Reader body) {
  const std::uint32_t status = body.u32();
  const std::uint32_t rank = body.u32();
  const std::string_view infos = body.text();
  if (!body.good()) return;
  for (std::uint32_t other = 0; other < nodes_.size(); ++other) {
    if (other != node) nodes_[other].channel->send(Kind::event, Writer().u32(status).u32(rank).text(infos));
  }
}

// ---- streams

void Controller::on_output(std::uint32_t node, Reader body) {
  const std::uint32_t rank = body.u32();
  const std::uint8_t stream = body.u8();
  const std::uint8_t flags = body.u8();
  const std::string_view bytes = body.text();
  if (!body.good() || rank >= ranks_.size()) return;
  if (stream == 2 && bytes.find("] why: ") != std::string_view::npos) on_why(rank, bytes);
  outputs_.write(stream, {node, rank, string(bytes), (flags & output_open_line) != 0});
}

// Told in portions: an answer to each line would double the work.
void Controller::output_has_left(std::uint32_t index, std::uint32_t bytes) {
  Node& node = nodes_[index];
  node.credit += bytes;
  if (node.credit < job_.output_window / 4 || !node.channel) return;
  node.channel->send(Kind::output_credit, Writer().u32(std::exchange(node.credit, 0)));
}

void Controller::output_failed(const string& what, int error) {
  if (error == EPIPE) return fail(128 + SIGPIPE, "nobody reads " + what + " any more");
  fail(own_failure, "cannot write to " + what + ": " + strerror(error));
}

void Controller::on_bindings(std::uint32_t node, Reader body) {
  for (std::uint32_t left = body.count(8); left > 0; --left) {
    const std::uint32_t rank = body.u32();
    say("rank " + std::to_string(rank) + " on host " + nodes_[node].name + ": " + string(body.text()));
  }
}

// When several nodes read, the next bytes are for all of them, so the slowest decides.
void Controller::on_input_credit(std::uint32_t node, std::uint32_t bytes) {
  if (!input_nodes_[node] || bytes == 0) return;
  asks_for_input_[node] = true;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (input_nodes_[other] && !asks_for_input_[other] && !nodes_[other].done) return;
  }
  input_credit_ = std::min<std::uint32_t>(bytes, 64 << 10);
  send_input();
}

// Reads what the ranks asked for. A terminal is read only from the foreground, where it does not stop this process.
void Controller::send_input() {
  if (input_credit_ == 0 || input_at_end_) return;
  if (isatty(0) && tcgetpgrp(0) != getpgrp()) {
    loop_.forget(0);
    loop_.after(200 * millisecond, [this] { send_input(); });
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
    Writer body;
    body.text(std::string_view(buffer).substr(0, got > 0 ? static_cast<size_t>(got) : 0));
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!input_nodes_[node]) continue;
      asks_for_input_[node] = false;
      nodes_[node].channel->send(Kind::input, body);
    }
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
    end_all(0);
    return;
  }
  if (deadly) passed_signal_ = signal;
  broadcast(Kind::signal, Writer().u32(static_cast<std::uint32_t>(signal)));
  if (signal == SIGTSTP) raise(SIGSTOP);
}

// ---- why it hangs

// What a rank tells of its wait, asked or because it has lasted long; then all are asked.
void Controller::on_why(std::uint32_t rank, std::string_view text) {
  ask_why();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    std::string_view line = text.substr(0, end);
    if (line.back() == '\n') line.remove_suffix(1);
    why_.take(rank, line);
    text.remove_prefix(end);
  }
}

void Controller::ask_why() {
  constexpr Nanoseconds patience = 2 * second;  // a rank that sleeps looks up every second
  if (std::exchange(asking_why_, true)) return;
  broadcast(Kind::signal, Writer().u32(static_cast<std::uint32_t>(why_signal())));
  loop_.after(patience, [this] {
    for (const string& sentence : std::exchange(why_, {}).conclude(static_cast<std::uint32_t>(ranks_.size())))
      say("why: " + sentence);
    asking_why_ = false;
  });
}

void Controller::broadcast(Kind kind, const Writer& body) {
  for (Node& node : nodes_) {
    if (node.channel) node.channel->send(kind, body);
  }
}

// The first failure decides the status and is told; the others follow from it.
void Controller::fail(int status, const string& line) {
  if (std::exchange(failed_, true)) return;
  status_ = status;
  const size_t end = line.find('\n');
  say(line.substr(0, end) + (started_ ? "; the job is ended" : "") + (end == string::npos ? "" : line.substr(end)));
  end_all(static_cast<std::uint32_t>(options_.settings.grace));
}

void Controller::end_all(std::uint32_t grace) {
  for (Node& node : nodes_) {
    if (!node.channel) continue;
    if (node.greeted) {
      node.channel->send(Kind::end, Writer().u32(grace));
    } else {
      // Nothing can be said to a host that has not answered; its remote shell is not waited for.
      node.channel->close();
      node.closed = true;
      if (!node.is_here && node.pid > 0) kill(node.pid, SIGTERM);
    }
  }
  loop_.after((grace + agent_time) * millisecond, [this] { abandon(); });
  loop_.after(0, [this] { stop_when_done(); });
}

// Agents that did not end in time are cut off: their guards then kill all that is there.
void Controller::abandon() {
  for (Node& node : nodes_) {
    if (node.channel) node.channel->close();
    node.closed = true;
  }
  loop_.after(0, [this] { stop_when_done(); });
}

}  // namespace cow::launch
