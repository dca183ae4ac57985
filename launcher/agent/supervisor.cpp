#include "launcher/agent/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "launcher/core/memory_trim.hpp"
#include "launcher/core/process.hpp"

namespace cow::launch {
namespace {

constexpr Duration agent_time = 1s;  // the agent has to end by itself after mpirun has gone
constexpr Duration sweep_time = 5s;  // to wait for the last process to be gone

sigset_t supervised_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) sigaddset(&set, signal);
  return set;
}

void enter_own_session() {
  if (getsid(0) == getpid() || setsid() >= 0) return;
  // The leader of a process group cannot leave it; a child can. The leader stays to pass the status on, and the signals
  // that a resource manager sends.
  const sigset_t set = supervised_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    return;
  }
  int status = 1 << 8;
  while (child > 0 && waitpid(child, &status, WNOHANG) == 0) {
    siginfo_t info;
    if (sigwaitinfo(&set, &info) > 0 && info.si_signo != SIGCHLD) kill(child, info.si_signo);
  }
  _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

// Waits for the agent's end; the result is its wait status.
int wait_for_agent(pid_t agent, int keepalive, int signals) {
  pollfd polled[2] = {{signals, POLLIN, 0}, {keepalive, POLLRDHUP, 0}};
  std::optional<Instant> deadline;
  bool settled = false;
  while (true) {
    int status;
    if (waitpid(agent, &status, WNOHANG) == agent) return status;
    int timeout = settled ? -1 : poll_timeout(settled_after);
    if (deadline) {
      timeout = poll_timeout(*deadline - Clock::now());
      if (timeout == 0) {
        kill(agent, SIGKILL);
        timeout = poll_timeout(100ms);
      }
    }
    const int found = poll(polled, 2, timeout);
    if (found == 0 && !settled) {
      give_back_memory();
      settled = true;
    }
    if (found <= 0) continue;
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
      const auto signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGUSR1 || signal == SIGUSR2)
        kill(agent, passed_on(signal));
      else if (signal != SIGCHLD)
        kill(agent, SIGTERM);
    }
    // Others than the agent: orphans of ranks.
    while (waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) == 0) {
      siginfo_t who{};
      if (waitid(P_ALL, 0, &who, WEXITED | WNOHANG | WNOWAIT) != 0 || who.si_pid == 0 || who.si_pid == agent) break;
      waitpid(who.si_pid, nullptr, WNOHANG);
    }
    if (polled[1].revents) {
      polled[1].fd = -1;
      deadline = Clock::now() + agent_time;
    }
  }
}

}  // namespace

int passed_on(int signal) { return SIGRTMIN + (signal == SIGUSR1 ? 1 : 2); }

int supervise_agent(int keepalive, const std::function<int(pid_t supervisor)>& agent) {
  enter_own_session();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const sigset_t set = supervised_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  const pid_t self = getpid();
  const pid_t child = fork();
  if (child < 0) return 125;
  if (child == 0) {
    close(signals);
    // The agent ends the ranks itself when its supervisor dies; SIGTERM tells it so.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != self) _exit(1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    _exit(agent(self));
  }
  const int status = wait_for_agent(child, keepalive, signals);
  kill_all_children(sweep_time);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace cow::launch
