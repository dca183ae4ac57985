#include "job.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>
#include <utility>

extern char** environ;

namespace cow::test {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What a job could leave behind; names of others are no business of this test.
std::vector<std::string> files() {
  std::vector<std::string> out;
  for (const char* folder : {"/tmp", "/dev/shm"}) {
    DIR* open = opendir(folder);
    if (!open) continue;
    while (const dirent* entry = readdir(open)) {
      const std::string name = entry->d_name;
      // cow_ begins the folders of other tests.
      if (name.find("pmix") != std::string::npos || name.starts_with("cow-")) {
        out.push_back(std::string(folder) + "/" + name);
      }
    }
    closedir(open);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string read_file(const std::string& path) {
  std::string out;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  for (ssize_t got; fd >= 0 && (got = read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<size_t>(got));
  if (fd >= 0) close(fd);
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::vector<LivingProcess> descendants() {
  std::map<pid_t, LivingProcess> all;
  DIR* folder = opendir("/proc");
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = atoi(entry->d_name);
    if (pid <= 0) continue;
    const std::string path = "/proc/" + std::to_string(pid);
    const std::string stat = read_file(path + "/stat");
    const size_t end = stat.rfind(')');
    char state;
    int parent;
    if (end == std::string::npos || sscanf(stat.c_str() + end + 1, " %c %d", &state, &parent) != 2) continue;
    if (state == 'Z' || state == 'X') continue;
    std::string command = read_file(path + "/cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    all[pid] = {pid, parent, command};
  }
  closedir(folder);
  std::vector<LivingProcess> out;
  for (const auto& [pid, process] : all) {
    pid_t up = process.parent;
    while (up != getpid() && all.count(up)) up = all[up].parent;
    if (up == getpid()) out.push_back(process);
  }
  return out;
}

JobRun::JobRun(std::vector<std::string> command, JobOptions options)
    : input_(std::move(options.input)), files_before_(files()) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // whatever escapes the launcher falls to this process
  signal(SIGPIPE, SIG_IGN);
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) abort();
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    if (strncmp(*entry, "COW_", 4) != 0 && strncmp(*entry, "PMIX_", 5) != 0) environment.emplace_back(*entry);
  }
  environment.insert(environment.end(), options.environment.begin(), options.environment.end());
  const std::vector<char*> argv = pointers(command), env = pointers(environment);
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(options.input_fd >= 0 ? options.input_fd : in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    signal(SIGPIPE, SIG_DFL);
    execve(argv[0], argv.data(), env.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
  in_fd_ = in[1];
  fcntl(in_fd_, F_SETFL, O_NONBLOCK);
  if (options.input_fd >= 0) close(std::exchange(in_fd_, -1));
}

JobRun::~JobRun() {
  finish(0);
  for (int fd : {out_fd_, err_fd_, in_fd_}) {
    if (fd >= 0) close(fd);
  }
}

// Moves bytes for at most that many milliseconds; false when both outputs are at their end.
bool JobRun::read_some(int timeout) {
  if (in_fd_ >= 0 && input_.empty()) close(std::exchange(in_fd_, -1));
  pollfd polled[3] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}, {in_fd_, POLLOUT, 0}};
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  if (poll(polled, 3, timeout) <= 0) return true;
  char buffer[65536];
  for (int i = 0; i < 2; ++i) {
    if (!polled[i].revents) continue;
    int& fd = i == 0 ? out_fd_ : err_fd_;
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got > 0) {
      (i == 0 ? out : err).append(buffer, static_cast<size_t>(got));
    } else {
      close(std::exchange(fd, -1));
    }
  }
  if (polled[2].revents) {
    const ssize_t wrote = write(in_fd_, input_.data(), input_.size());
    if (wrote > 0) input_.erase(0, static_cast<size_t>(wrote));
    if (wrote < 0 && errno != EAGAIN) input_.clear();
  }
  return true;
}

bool JobRun::wait_for(const std::string& text) {
  const auto start = Clock::now();
  while (out.find(text) == std::string::npos) {
    if (since(start) > 30 || !read_some(100)) return out.find(text) != std::string::npos;
  }
  return true;
}

void JobRun::finish(double seconds) {
  if (pid_ < 0) return;
  auto start = Clock::now();
  int wait_status = 0;
  bool ended = false;
  while (!(ended = waitpid(pid_, &wait_status, WNOHANG) == pid_) && since(start) < seconds) {
    if (!read_some(10)) usleep(2000);
  }
  if (ended) status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
  start = Clock::now();
  while (ended && since(start) < soon) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    left_after = since(start);
    if (descendants().empty()) break;
    read_some(10);
  }
  for (const LivingProcess& process : descendants()) {
    left.push_back(std::to_string(process.pid) + " " + process.command);
    kill(process.pid, SIGKILL);
  }
  while (waitpid(-1, nullptr, left.empty() ? WNOHANG : 0) > 0) {
  }
  while (read_some(1000)) {
  }
  for (const std::string& file : files()) {
    if (!std::binary_search(files_before_.begin(), files_before_.end(), file)) left.push_back(file);
  }
  pid_ = -1;
}

Finished mpirun(std::vector<std::string> arguments, JobOptions options) {
  arguments.insert(arguments.begin(), MPIRUN);
  JobRun job(std::move(arguments), std::move(options));
  job.finish();
  return {job.status, job.out, job.err, job.left};
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace cow::test
