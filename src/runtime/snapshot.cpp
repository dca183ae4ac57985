#include "runtime/snapshot.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

namespace cow::runtime {
namespace {

std::vector<pid_t> dying;  // processes of released snapshots, not yet waited for; under the progress lock

void bury(bool patiently) {
  // __WCLONE: they announce their end by no signal, and are found by no wait() without it.
  std::erase_if(dying, [&](pid_t process) {
    pid_t gone;
    do gone = waitpid(process, nullptr, __WCLONE | (patiently ? 0 : WNOHANG));
    while (gone < 0 && errno == EINTR);
    return gone != 0;
  });
}

// The life of the small process. It shares nothing with the program any more but pages, and takes no lock that another
// thread may have held: system calls only.
[[noreturn]] void keep_memory(int lifeline, int ready, pid_t parent) {
  dup2(lifeline, 0);
  dup2(ready, 1);
  syscall(SYS_close_range, 2u, ~0u, 0u);
  prctl(PR_SET_NAME, "cow-snapshot");
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // whoever may read the program may read this
  (void)!write(1, "", 1);
  close(1);
  // A child that the program forks may hold the other end of the lifeline, so the parent is looked for as well.
  pollfd waited = {0, POLLIN, 0};
  while (poll(&waited, 1, 1000) <= 0 && getppid() == parent) {
  }
  _exit(0);
}

// Of a mapping, as /proc/self/maps tells it.
bool is_covered(const char* permissions, const char* path) {
  if (permissions[0] != 'r' || permissions[3] != 'p') return false;
  return path[0] == '\0' || strcmp(path, "[heap]") == 0 || strcmp(path, "[stack]") == 0 || strncmp(path, "[anon:", 6) == 0;
}

using Range = Snapshot::Range;

// The parts of the mappings that lie in [begin, end). Fails when one of them is of a kind that a snapshot does not keep.
Error find_mappings(std::uintptr_t begin, std::uintptr_t end, std::vector<Range>& out) {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (!maps) return fail(ErrorClass::other, "/proc/self/maps cannot be read: %s", strerror(errno));
  Error error = success;
  std::uintptr_t at = begin;
  char line[512];
  while (at < end && !error && fgets(line, sizeof line, maps)) {
    std::uintptr_t from, to;
    char permissions[5] = "", path[400] = "";
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %399s", &from, &to, permissions, path) < 3) continue;
    if (to <= at) continue;
    if (from > at || !is_covered(permissions, path)) {
      error = fail(ErrorClass::other, "the memory at %p is none that a snapshot keeps (%s %s)",
                   reinterpret_cast<void*>(at), permissions, path);
      break;
    }
    out.push_back({at, std::min(to, end)});
    at = to;
  }
  fclose(maps);
  if (!error && at < end) error = fail(ErrorClass::other, "no memory at %p", reinterpret_cast<void*>(at));
  return error;
}

// madvise() can have withheld a mapping from children, or have it wiped there: then its first page differs, or the first
// that is not all zeros.
bool is_kept(const Snapshot& snapshot, const Range& range) {
  constexpr std::size_t step = 4096;
  char page[step];
  for (std::uintptr_t at = range.begin; at < range.end; at += step) {
    const std::size_t size = std::min<std::size_t>(step, range.end - at);
    const auto* mine = reinterpret_cast<const char*>(at);
    if (!snapshot.read(page, mine, size) || memcmp(page, mine, size) != 0) return false;
    if (std::any_of(page, page + size, [](char byte) { return byte != 0; })) return true;
  }
  return true;
}

}  // namespace

Error Snapshot::take(const void* address, std::size_t size, Snapshot*& out) {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  std::vector<Range> ranges;
  if (Error error = find_mappings(begin, begin + size, ranges)) return error;
  bury(false);
  int lifeline[2], ready[2];
  if (pipe2(lifeline, O_CLOEXEC) != 0) return fail(ErrorClass::other, "no pipe for a snapshot: %s", strerror(errno));
  if (pipe2(ready, O_CLOEXEC) != 0) {
    close(lifeline[0]), close(lifeline[1]);
    return fail(ErrorClass::other, "no pipe for a snapshot: %s", strerror(errno));
  }
  sigset_t all, before;
  sigfillset(&all);
  const pid_t parent = getpid();
  pthread_sigmask(SIG_BLOCK, &all, &before);  // no handler of the program's runs in the other process
  // Not fork(): handlers that the program has registered for its own forks have no business here. No signal at its end.
  const auto process = static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
  if (process == 0) keep_memory(lifeline[0], ready[1], parent);
  const int wrong = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(lifeline[0]);
  close(ready[1]);
  char word;
  ssize_t got = 0;
  if (process > 0) do got = ::read(ready[0], &word, 1);
    while (got < 0 && errno == EINTR);
  close(ready[0]);
  if (process < 0) {
    close(lifeline[1]);
    return fail(ErrorClass::other, "no process for a snapshot: %s", strerror(wrong));
  }
  auto* snapshot = new Snapshot(process, lifeline[1]);
  Error error = got == 1 ? snapshot->keeps(ranges) : fail(ErrorClass::other, "the process of a snapshot did not start");
  if (error) {
    snapshot->release();
    return error;
  }
  out = snapshot;
  return success;
}

Error Snapshot::keeps(const std::vector<Range>& ranges) const {
  for (const Range& range : ranges)
    if (!is_kept(*this, range))
      return fail(ErrorClass::other, "the memory at %p is withheld from snapshots", reinterpret_cast<void*>(range.begin));
  return success;
}

Error Snapshot::covers(const void* address, std::size_t size) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  std::vector<Range> ranges;
  if (Error error = find_mappings(begin, begin + size, ranges)) return error;
  return keeps(ranges);
}

void Snapshot::release() {
  if (--references_ > 0) return;
  close(lifeline_);
  dying.push_back(process_);
  delete this;
}

bool Snapshot::read(void* to, const void* address, std::size_t size) const {
  auto* out = static_cast<char*>(to);
  auto* from = static_cast<const char*>(address);
  while (size > 0) {
    const iovec local{out, size};
    const iovec remote{const_cast<char*>(from), size};
    const ssize_t got = process_vm_readv(process_, &local, 1, &remote, 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    from += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

void bury_snapshots() { bury(true); }

}  // namespace cow::runtime
