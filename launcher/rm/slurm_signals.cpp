#include "launcher/rm/slurm_signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "launcher/core/file_limit.hpp"

namespace cow::launch {
namespace {

constexpr int cannot_exec = 127;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

}  // namespace

SlurmSignals::SlurmSignals(Loop& loop, const std::string& command, const std::string& node, const std::string& agent,
                           const SignalState& signals, Heard heard)
    : loop_(loop), heard_(std::move(heard)) {
  std::vector<std::string> words = words_of(command);
  words.insert(words.end(), {node, agent, "--slurm-signals"});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0) return;
  if (pipe2(from, O_CLOEXEC) != 0) {
    close(to[0]);
    close(to[1]);
    return;
  }
  pid_ = fork();
  if (pid_ == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(to[0], 0);
    dup2(from[1], 1);
    dup2(null, 2);  // what srun has to say here is of no use to anybody
    setpgid(0, 0);  // what the user types is not for it
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
    restore_file_limit();
    execvp(argv[0], argv.data());
    _exit(cannot_exec);
  }
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
  fcntl(from_, F_SETFL, O_NONBLOCK);
  loop_.watch(from_, POLLIN, [this](short) { listen(); });
}

void SlurmSignals::listen() {
  unsigned char heard[64];
  const ssize_t got = read(from_, heard, sizeof heard);
  for (ssize_t i = 0; i < got; ++i) {
    if (heard[i] == SIGUSR1 || heard[i] == SIGUSR2) heard_(heard[i]);
  }
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) loop_.forget(from_);
}

SlurmSignals::~SlurmSignals() {
  if (pid_ <= 0) return;
  if (loop_.watches(from_)) loop_.forget(from_);
  close(to_);
  close(from_);
  constexpr milliseconds patience = 1s, step = 5ms;
  for (milliseconds waited{}; waited < patience; waited += step) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) return;  // its end may have been heard of elsewhere
    std::this_thread::sleep_for(step);
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

int forward_slurm_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);
  pollfd polled[2] = {{0, POLLIN, 0}, {signals, POLLIN, 0}};
  while (true) {
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return 1;
    signalfd_siginfo info;
    if (polled[1].revents && read(signals, &info, sizeof info) == sizeof info) {
      const auto signal = static_cast<unsigned char>(info.ssi_signo);
      if (write(1, &signal, 1) != 1) return 1;
    }
    char byte;
    if (polled[0].revents && read(0, &byte, 1) <= 0) return 0;
  }
}

}  // namespace cow::launch
