#include "runtime/snapshot.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "base/machine.hpp"

namespace cow::runtime {
namespace {

// Under the progress lock.
std::vector<pid_t> dying;      // processes of released snapshots, not yet waited for
std::vector<Snapshot*> alive;  // those that are not released

void bury(bool patiently) {
  constexpr int silent = static_cast<int>(__WCLONE);
  // __WCLONE: they announce their end by no signal, and are found by no wait() without it.
  std::erase_if(dying, [&](pid_t process) {
    pid_t gone;
    do gone = waitpid(process, nullptr, silent | (patiently ? 0 : WNOHANG));
    while (gone < 0 && errno == EINTR);
    return gone != 0;
  });
}

// What the small process gives up, on its stack: the program's heap is among it.
struct Refuse {
  static constexpr std::size_t most = 64;
  Range ranges[most];
  std::size_t count = 0;

  // But for what lies around an address.
  void add_around(Range range, std::uintptr_t address) {
    constexpr std::uintptr_t margin = 64 * 1024, page = largest_page;
    const std::uintptr_t begin = (address - margin) & ~(page - 1), end = (address + margin) & ~(page - 1);
    if (range.end <= begin || range.begin >= end) return add(range);
    add({range.begin, std::max(range.begin, begin)});
    add({std::min(range.end, end), range.end});
  }
  void add(Range range) {
    if (count < most && range.begin < range.end) ranges[count++] = range;
  }
};

// What this thread runs on stays: its stack, and what the thread pointer leads to.
void collect(const std::vector<Range>& others, Refuse& out) {
  Refuse but_stack;
  const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  for (const Range& range : others) but_stack.add_around(range, stack);
  for (std::size_t i = 0; i < but_stack.count; ++i) out.add_around(but_stack.ranges[i], thread);
}

// The life of the small process. It shares nothing with the program any more but pages, and takes no lock that another
// thread may have held: system calls only. It is not watched by sanitizers, whose memory it may have given up.
[[noreturn, gnu::no_sanitize_address, gnu::no_sanitize_thread]] void keep_memory(int lifeline, pid_t parent,
                                                                                 const Refuse& refuse) {
  long (*volatile const call)(long, ...) = syscall;
  call(SYS_dup3, lifeline, 0, 0);
  call(SYS_close_range, 1u, ~0u, 0u);
  call(SYS_prctl, PR_SET_NAME, "cow-snapshot", 0, 0, 0);
  call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // whoever may read the program may read this
  call(SYS_write, 0, "", 1);
  // What the program writes of this afterwards need not be copied. It does not wait for that: giving pages up takes
  // longer than sharing them, and must be done at the end in any case.
  for (std::size_t i = 0; i < refuse.count; ++i)
    call(SYS_madvise, refuse.ranges[i].begin, refuse.ranges[i].end - refuse.ranges[i].begin, MADV_DONTNEED);
  call(SYS_write, 0, "", 1);
  // A child that the program forks may hold the other end of the lifeline, so the parent is looked for as well.
  pollfd waited = {0, POLLIN, 0};
  for (;;) {
    timespec limit{1, 0};
    if (call(SYS_ppoll, &waited, 1, &limit, nullptr, 0) > 0 || call(SYS_getppid) != parent) break;
  }
  for (;;) call(SYS_exit_group, 0);
}

// madvise() can have withheld a mapping from children, or have it wiped there: then its first page differs, or the first
// that is not all zeros.
bool is_kept(const ProcessMemory& snapshot, const Range& range) {
  constexpr std::size_t step = 4096;
  char page[step];
  for (std::uintptr_t at = range.begin; at < range.end; at += step) {
    const std::size_t size = std::min<std::size_t>(step, range.end - at);
    const auto* mine = reinterpret_cast<const char*>(at);
    if (snapshot.read(page, at, size) != 0 || memcmp(page, mine, size) != 0) return false;
    if (std::any_of(page, page + size, [](char byte) { return byte != 0; })) return true;
  }
  return true;
}

// KiB of a process's anonymous memory: its share of what it has in common with others, all of it, and what nobody else has.
// Zero where the kernel does not tell.
struct Anonymous {
  long share = 0, whole = 0, own = 0;
};
Anonymous anonymous_memory(const char* process) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%s/smaps_rollup", process);
  Anonymous out;
  FILE* const file = fopen(path, "re");
  if (!file) return out;
  while (fgets(line, sizeof line, file)) {
    (void)sscanf(line, "Pss_Anon: %ld", &out.share);
    (void)sscanf(line, "Anonymous: %ld", &out.whole);
    (void)sscanf(line, "Private_Dirty: %ld", &out.own);
  }
  fclose(file);
  return out;
}

}  // namespace

Snapshot::Snapshot(std::int32_t process, int lifeline) : process_(process), lifeline_(lifeline) {
  alive.push_back(this);
}

Snapshot::~Snapshot() {
  shutdown(lifeline_, SHUT_RDWR);  // children of the program may have it, too
  close(lifeline_);
  std::erase(alive, this);
  dying.push_back(process_);
}

// Until then what it will give up counts as common to both.
void Snapshot::await_thinning() {
  pollfd waited = {lifeline_, POLLIN, 0};
  constexpr int enough = 1000;  // ms; nobody else can be waited for here, but the process may have been stopped
  if (thin_ || poll(&waited, 1, enough) <= 0) return;
  thin_ = true;
}

// What the snapshots have in common with this process is counted by parts that add up to what this process has; the rest is
// theirs. Children that the program has forked itself take parts too, but not of what only one snapshot has.
std::size_t Snapshot::held_by_all() {
  bury(true);
  for (Snapshot* each : alive) each->await_thinning();
  const Anonymous mine = anonymous_memory("self");
  long shares = mine.share - mine.whole, own = 0;
  for (const Snapshot* each : alive) {
    const Anonymous its = anonymous_memory(std::to_string(each->process_).c_str());
    shares += its.share;
    own += its.own;
  }
  return static_cast<std::size_t>(std::max({shares, own, 0L})) * 1024;
}

Error Snapshot::take(const void* address, std::size_t size, Scope scope, Snapshot*& out) {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  Mappings mappings;
  if (Error error = find_mappings({begin, begin + size}, mappings)) return error;
  Refuse refuse;
  if (scope == Scope::range) collect(mappings.others, refuse);
  bury(false);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(ErrorClass::other, "no sockets for a snapshot: %s", strerror(errno));
  sigset_t all, before;
  sigfillset(&all);
  const pid_t parent = getpid();
  pthread_sigmask(SIG_BLOCK, &all, &before);  // no handler of the program's runs in the other process
  // Not fork(): handlers that the program has registered for its own forks have no business here. No signal at its end.
  const auto process = static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
  if (process == 0) keep_memory(ends[1], parent, refuse);
  const int wrong = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(ends[1]);
  char word;
  ssize_t got = 0;
  if (process > 0) do
      got = ::read(ends[0], &word, 1);
    while (got < 0 && errno == EINTR);
  if (process < 0) {
    close(ends[0]);
    return fail(ErrorClass::other, "no process for a snapshot: %s", strerror(wrong));
  }
  auto* snapshot = new Snapshot(process, ends[0]);
  Error error =
      got == 1 ? snapshot->keeps(mappings.wanted) : fail(ErrorClass::other, "the process of a snapshot did not start");
  if (error) {
    snapshot->release();
    return error;
  }
  out = snapshot;
  return success;
}

Error Snapshot::keeps(const std::vector<Range>& ranges) const {
  const ProcessMemory memory(process_);
  for (const Range& range : ranges)
    if (!is_kept(memory, range))
      return fail(ErrorClass::other, "the memory at %p is withheld from snapshots",
                  reinterpret_cast<void*>(range.begin));
  return success;
}

Error Snapshot::covers(const void* address, std::size_t size) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  Mappings mappings;
  if (Error error = find_mappings({begin, begin + size}, mappings)) return error;
  return keeps(mappings.wanted);
}

void Snapshot::release() {
  if (--references_ == 0) delete this;
}

bool Snapshot::read(void* to, const void* address, std::size_t size) {
  if (!memory_) memory_.emplace(process_);
  return memory_->read(to, reinterpret_cast<std::uintptr_t>(address), size) == 0;
}

void bury_snapshots() { bury(true); }

}  // namespace cow::runtime
