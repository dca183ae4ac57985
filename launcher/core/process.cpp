#include "launcher/core/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>

#include "launcher/core/file_limit.hpp"

namespace cow::launch {
namespace {

// How this process treats signals, looked at once. No handler may run in a child that still borrows its memory.
struct OwnSignals {
  OwnSignals() {
    for (int signal = 1; signal < NSIG; ++signal) {
      struct sigaction action;
      if (sigaction(signal, nullptr, &action) != 0) continue;
      ignored[signal] = action.sa_handler == SIG_IGN;
      handled[signal] = action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL;
    }
  }
  bool ignored[NSIG] = {}, handled[NSIG] = {};
};

// Everything the child needs, laid out before the fork: between fork and exec it only makes system calls.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* shell_argv;  // for a script without an interpreter line, as execvp does
  char* const* environment;
  const char* directory;
  int descriptors[3];
  int kept[2];
  const SignalState* signals;
  pid_t parent;
  const OwnSignals* own_signals;
  const cpu_set_t* cpus;  // null: as the parent
  std::size_t cpus_size;  // bytes
};

struct ChildFailure {
  volatile int error = 0;
  volatile int step = 0;  // 1: directory, 2: descriptors, 3: exec, 4: CPUs
};

void restore_signals(const SignalState& state, const OwnSignals& own) {
  for (int signal = 1; signal < NSIG; ++signal) {
    const bool ignored = sigismember(&state.ignored, signal) == 1;
    if (ignored == own.ignored[signal] && !own.handled[signal]) continue;
    struct sigaction action = {};
    action.sa_handler = ignored ? SIG_IGN : SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  sigprocmask(SIG_SETMASK, &state.mask, nullptr);
}

[[noreturn]] void run_child(const ChildPlan& plan, ChildFailure& failure) {
  const auto give_up = [&](int step) {
    failure.error = errno;
    failure.step = step;
    _exit(127);
  };
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);
  for (int i = 0; i < 3; ++i) {
    if (dup2(plan.descriptors[i], i) < 0) give_up(2);
  }
  // Libraries of the agent open descriptors of their own; none of them reaches the rank.
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    for (int fd = 3; fd < 1024; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  for (int kept : plan.kept) {
    if (kept >= 0 && fcntl(kept, F_SETFD, 0) != 0) give_up(2);
  }
  if (chdir(plan.directory) != 0) give_up(1);
  if (plan.cpus && sched_setaffinity(0, plan.cpus_size, plan.cpus) != 0) give_up(4);
  restore_signals(*plan.signals, *plan.own_signals);
  restore_file_limit();
  execve(plan.program, plan.argv, plan.environment);
  if (errno == ENOEXEC) execve("/bin/sh", plan.shell_argv, plan.environment);
  give_up(3);
  _exit(127);
}

// The address space is shared until exec, so nothing is copied however large the agent is. All signals stay blocked
// meanwhile: a handler that ran in the child would run on the agent's memory.
pid_t fork_and_run(const ChildPlan& plan, ChildFailure& failure) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t pid = vfork();
  if (pid == 0) run_child(plan, failure);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

// A set of CPUs as the kernel wants it; null when it is empty.
class CpuSet {
 public:
  explicit CpuSet(const std::vector<std::uint32_t>& cpus) {
    if (cpus.empty()) return;
    const std::size_t count = *std::max_element(cpus.begin(), cpus.end()) + std::size_t{1};
    size_ = CPU_ALLOC_SIZE(count);
    set_ = CPU_ALLOC(count);
    CPU_ZERO_S(size_, set_);
    for (std::uint32_t cpu : cpus) CPU_SET_S(cpu, size_, set_);
  }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;
  ~CpuSet() {
    if (set_) CPU_FREE(set_);
  }
  const cpu_set_t* get() const { return set_; }
  std::size_t size() const { return size_; }

 private:
  cpu_set_t* set_ = nullptr;
  std::size_t size_ = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& text : strings) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

bool is_runnable(const std::string& path, int& error) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    return false;
  }
  if (S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0) return true;
  error = EACCES;
  return false;
}

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

struct ProcessEntry {
  pid_t pid;
  pid_t parent;
};

std::vector<ProcessEntry> all_processes() {
  std::vector<ProcessEntry> out;
  DIR* folder = opendir("/proc");
  if (!folder) return out;
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = atoi(entry->d_name);
    if (pid <= 0) continue;
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) continue;
    text[size] = '\0';
    // The name stands in parentheses and may hold anything, parentheses and blanks too: the last one ends it.
    const char* end = strrchr(text, ')');
    char state;
    int parent;
    if (end && sscanf(end + 1, " %c %d", &state, &parent) == 2 && state != 'Z') out.push_back({pid, parent});
  }
  closedir(folder);
  return out;
}

constexpr std::size_t worth_a_helper = 8;  // processes

// A thread that never ends, and does one piece of work at a time.
class Helper {
 public:
  Helper() {
    std::thread([this] { run(); }).detach();
  }
  void begin(const std::function<void()>& work) {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !work_; });
  }

 private:
  [[noreturn]] void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return work_ != nullptr; });
      lock.unlock();
      (*work_)();
      lock.lock();
      work_ = nullptr;
      changed_.notify_all();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;
};

// Everything below `root` but those in `spared` and what is below them.
std::vector<pid_t> family_of(pid_t root, const std::vector<pid_t>& spared) {
  const std::vector<ProcessEntry> all = all_processes();
  std::set<pid_t> family{root};
  // Parents are not always listed before their children, so go round until nobody is added.
  for (bool grown = true; grown;) {
    grown = false;
    for (const ProcessEntry& entry : all) {
      if (std::find(spared.begin(), spared.end(), entry.pid) != spared.end()) continue;
      if (family.count(entry.parent) && family.insert(entry.pid).second) grown = true;
    }
  }
  family.erase(root);
  return {family.begin(), family.end()};
}

}  // namespace

SignalState SignalState::now() {
  SignalState out;
  sigprocmask(SIG_SETMASK, nullptr, &out.mask);
  sigemptyset(&out.ignored);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) sigaddset(&out.ignored, signal);
  }
  return out;
}

StartedProcess start_process(const ProcessPlan& plan) {
  const std::vector<char*> argv = pointers(plan.argv);
  const std::vector<char*> environment = pointers(plan.environment);
  std::vector<std::string> shell{"/bin/sh", plan.program};
  shell.insert(shell.end(), plan.argv.begin() + 1, plan.argv.end());
  const std::vector<char*> shell_argv = pointers(shell);
  ChildFailure failure;
  const CpuSet cpus(plan.cpus);
  static const OwnSignals own_signals;
  const ChildPlan child{plan.program.c_str(),
                        argv.data(),
                        shell_argv.data(),
                        environment.data(),
                        plan.directory.c_str(),
                        {plan.input, plan.output, plan.error},
                        {plan.kept[0], plan.kept[1]},
                        plan.signals,
                        getpid(),
                        &own_signals,
                        cpus.get(),
                        cpus.size()};
  StartedProcess out;
  out.pid = fork_and_run(child, failure);
  if (out.pid < 0) {
    out.error = errno;
    out.what = "cannot make a process";
  } else if (failure.error != 0) {
    waitpid(out.pid, nullptr, 0);
    out.pid = -1;
    out.error = failure.error;
    out.what = failure.step == 1   ? "cannot enter the directory " + plan.directory
               : failure.step == 2 ? "cannot pass the descriptors on to " + plan.program
               : failure.step == 4 ? "cannot bind " + plan.program + " to its CPUs"
                                   : "cannot run " + plan.program;
  }
  return out;
}

std::vector<StartedProcess> start_processes(const std::vector<const ProcessPlan*>& plans) {
  std::vector<StartedProcess> out(plans.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const std::function<void()> start_some = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < plans.size();) {
      if (failed) continue;
      out[i] = start_process(*plans[i]);
      if (out[i].pid < 0) failed = true;
    }
  };
  // A thread stands still while its child goes on to its program; two keep two processors busy.
  if (plans.size() < worth_a_helper || std::thread::hardware_concurrency() < 2) {
    start_some();
  } else {
    static Helper& helper = *new Helper;
    helper.begin(start_some);
    start_some();
    helper.wait();
  }
  return out;
}

std::string find_program(const std::string& name, const std::string& directory, const std::string& first,
                         const std::vector<std::string>& environment, int& error) {
  error = ENOENT;
  const auto from_directory = [&](const std::string& path) {
    return path.starts_with('/') ? path : directory + "/" + path;
  };
  // A path is kept as the user wrote it: exec runs after chdir, and reports on it.
  if (name.find('/') != std::string::npos) return is_runnable(from_directory(name), error) ? name : std::string();
  std::string folders(value_of(environment, "PATH"));
  if (folders.empty()) folders = "/usr/local/bin:/usr/bin:/bin";
  if (!first.empty()) folders = first + ":" + folders;
  for (std::string_view path = folders;;) {
    const size_t end = std::min(path.find(':'), path.size());
    const std::string folder(path.substr(0, end));
    std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (is_runnable(from_directory(candidate), error)) return candidate;
    if (end == path.size()) return {};
    path.remove_prefix(end + 1);
  }
}

void set_variable(std::vector<std::string>& environment, const std::string& assignment) {
  const std::string_view name = std::string_view(assignment).substr(0, assignment.find('=') + 1);
  for (std::string& entry : environment) {
    if (entry.starts_with(name)) {
      entry = assignment;
      return;
    }
  }
  environment.push_back(assignment);
}

pid_t parent_of(pid_t pid) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE* file = fopen(path, "re");
  if (!file) return 0;
  const std::size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  const char* name_end = strrchr(text, ')');
  int parent = 0;
  return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

std::vector<pid_t> descendants_of(pid_t root) { return family_of(root, {}); }

std::vector<pid_t> kill_descendants(const std::vector<pid_t>& spared) {
  std::vector<pid_t> family = family_of(getpid(), spared);
  for (pid_t pid : family) kill(pid, SIGKILL);
  return family;
}

void kill_all_children(Duration limit, const std::vector<pid_t>& spared) {
  const Instant deadline = Clock::now() + limit;
  while (Clock::now() < deadline) {
    // Looking at all processes of the machine takes long; most often nobody is there.
    siginfo_t anybody{};
    if (waitid(P_ALL, 0, &anybody, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return;
    const std::vector<pid_t> family = kill_descendants(spared);
    if (family.empty()) return;
    // Not all of them are children yet, and the end of those spared is somebody else's to hear of.
    for (pid_t pid : family) waitpid(pid, nullptr, WNOHANG);
    std::this_thread::sleep_for(2ms);
  }
}

}  // namespace cow::launch
