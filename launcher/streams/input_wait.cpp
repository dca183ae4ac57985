#include "launcher/streams/input_wait.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include "launcher/core/process.hpp"

namespace cow::launch {
namespace {

using std::string;

// What a thread waits in: the number of the system call and its first arguments.
struct Waiting {
  long number = -1;
  unsigned long arguments[3] = {};
};

enum class Look { waits, runs, forbidden };

Look look_at(const string& task, Waiting& out) {
  const int fd = open((task + "/syscall").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ESRCH ? Look::runs : Look::forbidden;
  char text[256];
  const ssize_t size = read(fd, text, sizeof text - 1);
  const int error = errno;
  close(fd);
  if (size <= 0) return size < 0 && error != ESRCH ? Look::forbidden : Look::runs;
  text[size] = '\0';
  return sscanf(text, "%ld %lx %lx %lx", &out.number, &out.arguments[0], &out.arguments[1], &out.arguments[2]) == 4
             ? Look::waits
             : Look::runs;
}

bool is_pipe(pid_t pid, int fd, ino_t pipe) {
  struct stat status;
  const string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  return stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode) && status.st_ino == pipe;
}

bool copy_from(pid_t pid, unsigned long address, void* to, size_t size) {
  const iovec here{to, size}, there{reinterpret_cast<void*>(address), size};
  return process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

bool in_poll(pid_t pid, const Waiting& waiting, ino_t pipe) {
  std::vector<pollfd> polled(std::min(waiting.arguments[1], 1024ul));
  if (polled.empty()) return false;
  if (!copy_from(pid, waiting.arguments[0], polled.data(), polled.size() * sizeof(pollfd))) return true;
  return std::any_of(polled.begin(), polled.end(), [&](const pollfd& entry) {
    return entry.fd >= 0 && (entry.events & POLLIN) && is_pipe(pid, entry.fd, pipe);
  });
}

bool in_select(pid_t pid, const Waiting& waiting, ino_t pipe) {
  if (waiting.arguments[1] == 0) return false;
  fd_set set;
  FD_ZERO(&set);
  const int count = static_cast<int>(std::min<unsigned long>(waiting.arguments[0], FD_SETSIZE));
  const size_t bytes = static_cast<size_t>(count + 63) / 64 * 8;
  if (!copy_from(pid, waiting.arguments[1], &set, bytes)) return true;
  for (int fd = 0; fd < count; ++fd) {
    if (FD_ISSET(fd, &set) && is_pipe(pid, fd, pipe)) return true;
  }
  return false;
}

bool in_epoll(pid_t pid, const Waiting& waiting, ino_t pipe) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(waiting.arguments[0]));
  for (string line; std::getline(file, line);) {
    int fd;
    if (sscanf(line.c_str(), "tfd: %d", &fd) == 1 && is_pipe(pid, fd, pipe)) return true;
  }
  return false;
}

bool waits_for(pid_t pid, const Waiting& waiting, ino_t pipe) {
  switch (waiting.number) {
    case SYS_read:
    case SYS_readv:
#ifdef SYS_splice
    case SYS_splice:
#endif
      return is_pipe(pid, static_cast<int>(waiting.arguments[0]), pipe);
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_ppoll: return in_poll(pid, waiting, pipe);
#ifdef SYS_select
    case SYS_select:
#endif
    case SYS_pselect6: return in_select(pid, waiting, pipe);
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2: return in_epoll(pid, waiting, pipe);
    default: return false;
  }
}

bool process_waits(pid_t pid, ino_t pipe) {
  const string folder = "/proc/" + std::to_string(pid) + "/task";
  DIR* tasks = opendir(folder.c_str());
  if (!tasks) return false;
  bool found = false;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    Waiting waiting;
    const Look look = look_at(folder + "/" + entry->d_name, waiting);
    found = look == Look::forbidden || (look == Look::waits && waits_for(pid, waiting, pipe));
    if (found) break;
  }
  closedir(tasks);
  return found;
}

}  // namespace

bool waits_for_pipe(pid_t root, ino_t pipe) {
  if (process_waits(root, pipe)) return true;
  const std::vector<pid_t> family = descendants_of(root);
  return std::any_of(family.begin(), family.end(), [&](pid_t pid) { return process_waits(pid, pipe); });
}

}  // namespace cow::launch
