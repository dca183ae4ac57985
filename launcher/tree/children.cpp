#include "launcher/tree/children.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "launcher/rm/allocation.hpp"

namespace cow::launch {
namespace {

using std::string;

constexpr int agent_time = 1500;  // ms in which the end of a remote shell explains that of a connection
constexpr int reap_time = 500;    // ms between the end of a channel and the end of its process
constexpr size_t most_said = 16 << 10;

string seconds(std::uint32_t milliseconds) { return std::to_string(milliseconds / 1000.0).substr(0, 4); }

}  // namespace

Branches::Branches(Loop& loop, BranchEvents& events, const Job& job, std::string_view common, BranchesPlan plan)
    : loop_(loop),
      events_(events),
      job_(job),
      common_(common),
      plan_(std::move(plan)),
      routes_(job.start.parents, plan_.self) {
  plan_.here.resize(job.nodes.size());
  for (const std::uint32_t node : routes_.children()) {
    auto branch = std::make_unique<Branch>();
    branch->node = node;
    branch->name = job.nodes[node];
    branch->from = plan_.self_name;
    branch->is_here = plan_.here[node];
    branches_.push_back(std::move(branch));
  }
}

Branches::~Branches() {
  for (const auto& branch : branches_) {
    if (branch->error_fd >= 0) loop_.forget(branch->error_fd), close(branch->error_fd);
  }
}

void Branches::start() {
  if (std::any_of(branches_.begin(), branches_.end(), [](const auto& branch) { return !branch->is_here; })) {
    lifelines_ = std::make_unique<LifelineServer>(
        loop_, job_.key, job_.start.host_timeout,
        [this](std::uint32_t node) {
          if (find(node)) events_.on_branch_watched(node);
        },
        [this](std::uint32_t node, bool silent) { on_silence(node, silent); });
    lifeline_ = lifelines_->open();
  }
  for (const auto& branch : branches_) {
    if (stopped_) break;
    start(*branch);
  }
  loop_.after(job_.start.start_timeout * millisecond, [this] {
    for (const auto& branch : branches_) {
      if (!branch->greeted && !branch->closed) lose(*branch, own_failure, explain_loss(*branch));
    }
  });
}

void Branches::start(Branch& branch) {
  BranchStart how;
  how.agent = branch.is_here ? plan_.agent_here : job_.start.agent;
  how.srun = job_.start.srun;
  how.remote_shell = how.srun ? srun_command : job_.start.remote_shell;
  how.signals = plan_.signals;
  if (branch.node == plan_.input_node && plan_.input >= 0) how.input = fcntl(plan_.input, F_DUPFD_CLOEXEC, 3);
  int fds[2] = {-1, -1};
  const string wrong = start_branch(branch, how, fds);
  if (how.input >= 0) close(how.input);
  if (!wrong.empty()) {
    branch.reaped = true;
    return lose(branch, own_failure, "cannot start on host " + branch.name + ": " + wrong);
  }
  branch.channel = std::make_unique<Channel>(
      loop_, fds[0], fds[1], [this, &branch](const Frame& frame) { on_frame(branch, frame); },
      [this, &branch] { on_channel_end(branch); });
  branch.channel->expect_greeting();
  events_.on_branch_started(branch.node, branch);
  if (branch.error_fd >= 0) {
    fcntl(branch.error_fd, F_SETFL, O_NONBLOCK);
    loop_.watch(branch.error_fd, POLLIN, [this, &branch](short) { on_error_output(branch); });
  }
}

Branch* Branches::find(std::uint32_t node) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [&](const auto& branch) { return branch->node == node; });
  return found == branches_.end() ? nullptr : found->get();
}

void Branches::send(Kind kind, std::uint32_t node, std::string_view body) {
  if (Branch* branch = find(routes_.hop(node)); branch && branch->channel) branch->channel->send(kind, node, body);
}

void Branches::send_all(Kind kind, std::string_view body) {
  for (const auto& branch : branches_) {
    if (branch->channel) branch->channel->send(kind, everyone, body);
  }
}

void Branches::on_frame(Branch& branch, const Frame& frame) {
  // A child speaks for itself and for those below it.
  const std::uint32_t node = frame.node == unknown_node ? branch.node : frame.node;
  if (routes_.hop(node) != branch.node || (!branch.greeted && frame.kind != Kind::hello)) {
    return lose(branch, own_failure, "the agent on host " + branch.name + " says what makes no sense");
  }
  if (node == branch.node && frame.kind == Kind::hello) {
    const std::uint32_t version = Reader(frame.body).u32();
    if (version != protocol_version) {
      return lose(branch, own_failure, "host " + branch.name + " has another version of COW MPI (its agent speaks protocol " +
                                           std::to_string(version) + ", this one " + std::to_string(protocol_version) + ")");
    }
    greet(branch);
  }
  if (node == branch.node && frame.kind == Kind::goodbye) branch.done = true;
  events_.on_branch_frame({frame.kind, node, frame.body});
}

void Branches::greet(Branch& branch) {
  // What a login script said came before the greeting, but through another pipe.
  if (branch.error_fd >= 0) on_error_output(branch);
  branch.greeted = true;
  if (stopped_) return branch.channel->send(Kind::end, everyone, Writer().u32(0).bytes());
  branch.channel->send(Kind::job, branch.node, write_job(common_, branch.node, lifeline_).bytes());
}

// What the remote shell says is kept for a message until the agent answers; later it is passed on.
void Branches::on_error_output(Branch& branch) {
  char buffer[4096];
  const ssize_t got = read(branch.error_fd, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    loop_.forget(branch.error_fd);
    close(std::exchange(branch.error_fd, -1));
    return;
  }
  const std::string_view text(buffer, static_cast<size_t>(got));
  if (branch.greeted) {
    events_.on_branch_words(branch.node, text);
  } else if (branch.said.size() < most_said) {
    branch.said.append(text);
  }
}

void Branches::on_channel_end(Branch& branch) {
  branch.closed = true;
  if (branch.reaped) return judge(branch);
  loop_.after(reap_time * millisecond, [this, &branch] {
    if (!branch.reaped) judge(branch);
  });
}

bool Branches::on_exit(pid_t pid, int wait_status) {
  for (const auto& branch : branches_) {
    if (branch->reaped || branch->pid != pid) continue;
    branch->wait_status = wait_status;
    branch->reaped = true;
    if (branch->error_fd >= 0) on_error_output(*branch);
    if (branch->closed) judge(*branch);
    return true;
  }
  return false;
}

// The channel is at its end; its process as well, unless it took too long.
void Branches::judge(Branch& branch) {
  if (!branch.done && !branch.lost) {
    const int status = branch.greeted && branch.reaped && WIFEXITED(branch.wait_status) ? WEXITSTATUS(branch.wait_status) : 0;
    if (status == parent_is_silent && !branch.is_here) return lose_silent(branch);
    return lose(branch, status > 128 ? status : own_failure, explain_loss(branch));
  }
  events_.on_branch_end(branch.node);
}

void Branches::lose(Branch& branch, int status, const string& why) {
  if (std::exchange(branch.lost, true)) return;
  if (branch.channel) branch.channel->close();
  branch.closed = true;
  if (branch.pid > 0 && !branch.reaped && !branch.is_here) kill(branch.pid, SIGTERM);
  events_.on_branch_lost(branch.node, status, why);
  events_.on_branch_end(branch.node);
}

void Branches::on_silence(std::uint32_t node, bool silent) {
  Branch* branch = find(node);
  if (!branch || branch->closed || branch->done) return;
  if (!silent) {
    // The agent's end, or that of its remote shell, tells more; it only takes another way.
    loop_.after(agent_time * millisecond, [this, node] { on_silence(node, true); });
    return;
  }
  lose_silent(*branch);
}

void Branches::lose_silent(Branch& branch) {
  lose(branch, own_failure, "host " + branch.name + " is lost: no sign of life has come from it" +
                                (branch.from.empty() ? "" : " to host " + branch.from) + " for " +
                                seconds(job_.start.host_timeout) + " s (COW_HOST_TIMEOUT)");
}

void Branches::stop_starting() {
  stopped_ = true;
  for (const auto& branch : branches_) {
    // Nothing can be said to a host that has not answered; its remote shell is not waited for.
    if (!branch->greeted && !branch->closed) lose(*branch, own_failure, explain_loss(*branch));
  }
}

void Branches::cut_off() {
  for (const auto& branch : branches_) {
    if (branch->channel) branch->channel->close();
    branch->closed = true;
  }
}

void Branches::kill_rest() {
  for (const auto& branch : branches_) {
    if (branch->reaped || branch->pid <= 0 || !branch->closed) continue;
    kill(branch->pid, SIGKILL);
    waitpid(branch->pid, &branch->wait_status, 0);
    branch->reaped = true;
  }
}

bool Branches::all_done() const {
  return std::all_of(branches_.begin(), branches_.end(), [](const auto& branch) { return branch->done || branch->closed; });
}

bool Branches::all_closed() const {
  return std::all_of(branches_.begin(), branches_.end(), [](const auto& branch) { return branch->closed; });
}

bool Branches::all_gone() const {
  return std::all_of(branches_.begin(), branches_.end(),
                     [](const auto& branch) { return branch->closed && (branch->reaped || branch->pid <= 0); });
}

std::vector<pid_t> Branches::processes() const {
  std::vector<pid_t> out;
  for (const auto& branch : branches_) {
    if (branch->pid > 0 && !branch->reaped) out.push_back(branch->pid);
  }
  return out;
}

}  // namespace cow::launch
