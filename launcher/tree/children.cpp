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

constexpr Duration agent_time = 1500ms;  // in which the end of a remote shell explains that of a connection
constexpr Duration reap_time = 500ms;    // between the end of a channel and the end of its process
constexpr size_t most_said = 16 << 10;

string in_seconds(std::chrono::duration<double> time) { return std::to_string(time.count()).substr(0, 4); }

}  // namespace

Children::Children(Loop& loop, ChildEvents& events, const Job& job, std::string_view common, ChildrenPlan plan)
    : loop_(loop), events_(events), job_(job), common_(common), plan_(std::move(plan)),
      routes_(job.start.parents, plan_.self) {
  plan_.here.resize(job.nodes.size());
  for (const std::uint32_t node : routes_.children()) {
    auto child = std::make_unique<Child>();
    child->node = node;
    child->name = job.nodes[node];
    child->from = plan_.self_name;
    child->is_here = plan_.here[node];
    children_.push_back(std::move(child));
  }
}

Children::~Children() {
  for (const auto& child : children_) {
    if (child->error_fd >= 0) loop_.forget(child->error_fd), close(child->error_fd);
  }
}

void Children::start() {
  if (std::any_of(children_.begin(), children_.end(), [](const auto& child) { return !child->is_here; })) {
    keepalives_ = std::make_unique<KeepaliveServer>(
        loop_, job_.key, job_.start.host_timeout,
        [this](std::uint32_t node) {
          if (find(node)) events_.on_child_watched(node);
        },
        [this](std::uint32_t node, bool silent) { on_silence(node, silent); });
    keepalive_ = keepalives_->open();
  }
  for (const auto& child : children_) {
    if (stopped_) break;
    start(*child);
  }
  loop_.after(job_.start.start_timeout, [this] {
    for (const auto& child : children_) {
      if (!child->greeted && !child->closed) lose(*child, own_failure, explain_loss(*child));
    }
  });
}

void Children::start(Child& child) {
  ChildStart how;
  how.agent = child.is_here ? plan_.agent_here : job_.start.agent;
  how.srun = job_.start.srun;
  how.remote_shell = how.srun ? srun_command : job_.start.remote_shell;
  how.signals = plan_.signals;
  if (child.node == plan_.input_node && plan_.input >= 0) how.input = fcntl(plan_.input, F_DUPFD_CLOEXEC, 3);
  int fds[2] = {-1, -1};
  const string wrong = start_child(child, how, fds);
  if (how.input >= 0) close(how.input);
  if (!wrong.empty()) {
    child.reaped = true;
    return lose(child, own_failure, "cannot start on host " + child.name + ": " + wrong);
  }
  child.channel = std::make_unique<Channel>(
      loop_, fds[0], fds[1], [this, &child](const Frame& frame) { on_frame(child, frame); },
      [this, &child] { on_channel_end(child); });
  child.channel->expect_greeting();
  events_.on_child_started(child.node, child);
  if (child.error_fd >= 0) {
    fcntl(child.error_fd, F_SETFL, O_NONBLOCK);
    loop_.watch(child.error_fd, POLLIN, [this, &child](short) { on_error_output(child); });
  }
}

Child* Children::find(std::uint32_t node) {
  const auto found =
      std::find_if(children_.begin(), children_.end(), [&](const auto& child) { return child->node == node; });
  return found == children_.end() ? nullptr : found->get();
}

void Children::pass_on(const Frame& frame) {
  if (frame.node != everyone) {
    if (Child* child = find(routes_.hop(frame.node)); child && child->channel) child->channel->pass_on(frame);
    return;
  }
  for (const auto& child : children_) {
    if (child->channel) child->channel->pass_on(frame);
  }
}

void Children::on_frame(Child& child, const Frame& frame) {
  // A child speaks for itself and for those below it.
  const std::uint32_t node = frame.node == unknown_node ? child.node : frame.node;
  if (routes_.hop(node) != child.node || (!child.greeted && frame.kind != Kind::hello)) {
    return lose(child, own_failure, "the agent on host " + child.name + " says what makes no sense");
  }
  if (node == child.node && frame.kind == Kind::hello) {
    const std::uint32_t version = Reader(frame.body).u32();  // the rest is read when it is this one
    if (version != protocol_version) {
      return lose(child, own_failure,
                  "host " + child.name + " has another version of COW MPI (its agent speaks protocol " +
                      std::to_string(version) + ", this one " + std::to_string(protocol_version) + ")");
    }
    greet(child);
  }
  if (node == child.node && frame.kind == Kind::goodbye) child.done = true;
  events_.on_child_frame({frame.kind, node, frame.body});
}

void Children::greet(Child& child) {
  // What a login script said came before the greeting, but through another pipe.
  if (child.error_fd >= 0) on_error_output(child);
  child.greeted = true;
  if (stopped_) return child.channel->send(everyone, frames::End{});
  child.channel->send(child.node, frames::Job{child.node, common_, keepalive_});
}

// What the remote shell says is kept for a message until the agent answers; later it is passed on.
void Children::on_error_output(Child& child) {
  char buffer[4096];
  const ssize_t got = read(child.error_fd, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    loop_.forget(child.error_fd);
    close(std::exchange(child.error_fd, -1));
    return;
  }
  const std::string_view text(buffer, static_cast<size_t>(got));
  if (child.greeted) {
    events_.on_child_words(child.node, text);
  } else if (child.said.size() < most_said) {
    child.said.append(text);
  }
}

void Children::on_channel_end(Child& child) {
  child.closed = true;
  if (child.reaped) return judge(child);
  loop_.after(reap_time, [this, &child] {
    if (!child.reaped) judge(child);
  });
}

bool Children::on_exit(pid_t pid, int wait_status) {
  for (const auto& child : children_) {
    if (child->reaped || child->pid != pid) continue;
    child->wait_status = wait_status;
    child->reaped = true;
    if (child->error_fd >= 0) on_error_output(*child);
    if (child->closed) judge(*child);
    return true;
  }
  return false;
}

// The channel is at its end; its process as well, unless it took too long.
void Children::judge(Child& child) {
  if (!child.done && !child.lost) {
    const int status =
        child.greeted && child.reaped && WIFEXITED(child.wait_status) ? WEXITSTATUS(child.wait_status) : 0;
    if (status == parent_is_silent && !child.is_here) return lose_silent(child);
    return lose(child, status > 128 ? status : own_failure, explain_loss(child));
  }
  events_.on_child_end(child.node);
}

void Children::lose(Child& child, int status, const string& why) {
  if (std::exchange(child.lost, true)) return;
  if (child.channel) child.channel->close();
  child.closed = true;
  if (child.pid > 0 && !child.reaped && !child.is_here) kill(child.pid, SIGTERM);
  events_.on_child_lost(child.node, status, why);
  events_.on_child_end(child.node);
}

void Children::on_silence(std::uint32_t node, bool silent) {
  Child* child = find(node);
  if (!child || child->closed || child->done) return;
  if (!silent) {
    // The agent's end, or that of its remote shell, tells more; it only takes another way.
    loop_.after(agent_time, [this, node] { on_silence(node, true); });
    return;
  }
  lose_silent(*child);
}

void Children::lose_silent(Child& child) {
  lose(child, own_failure,
       "host " + child.name + " is lost: no sign of life has come from it" +
           (child.from.empty() ? "" : " to host " + child.from) + " for " + in_seconds(job_.start.host_timeout) +
           " s (COW_HOST_TIMEOUT)");
}

void Children::stop_starting() {
  stopped_ = true;
  for (const auto& child : children_) {
    // Nothing can be said to a host that has not answered; its remote shell is not waited for.
    if (!child->greeted && !child->closed) lose(*child, own_failure, explain_loss(*child));
  }
}

void Children::cut_off() {
  for (const auto& child : children_) {
    if (child->channel) child->channel->close();
    child->closed = true;
  }
}

void Children::kill_rest() {
  for (const auto& child : children_) {
    if (child->reaped || child->pid <= 0 || !child->closed) continue;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, &child->wait_status, 0);
    child->reaped = true;
  }
}

bool Children::all_done() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const auto& child) { return child->done || child->closed; });
}

bool Children::all_closed() const {
  return std::all_of(children_.begin(), children_.end(), [](const auto& child) { return child->closed; });
}

bool Children::all_gone() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const auto& child) { return child->closed && (child->reaped || child->pid <= 0); });
}

std::vector<pid_t> Children::processes() const {
  std::vector<pid_t> out;
  for (const auto& child : children_) {
    if (child->pid > 0 && !child->reaped) out.push_back(child->pid);
  }
  return out;
}

}  // namespace cow::launch
