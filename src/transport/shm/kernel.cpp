#include "transport/shm/kernel.hpp"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cow::transport::shm {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* limit) {
  return syscall(SYS_futex, &word, operation, value, limit, nullptr, 0);
}

socklen_t make_name(std::uint64_t name, sockaddr_un& out) {
  out = {};
  out.sun_family = AF_UNIX;
  const int length =
      snprintf(out.sun_path + 1, sizeof out.sun_path - 1, "cow-%016llx", static_cast<unsigned long long>(name));
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<std::size_t>(length));
}

}  // namespace

bool register_for_barriers() { return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0; }

bool barrier_everywhere() { return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0; }

// A point of cancellation, as other calls that sleep are: pthread_cancel interrupts it. Nothing here is to be undone.
void wait_on_futex(std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds limit) {
  const timespec time{limit / second, limit % second};
  int before;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
  futex(word, FUTEX_WAIT, expected, &time);
  pthread_setcanceltype(before, nullptr);
}

void wake_futex(std::atomic<std::uint32_t>& word) { futex(word, FUTEX_WAKE, 1, nullptr); }

Error open_waking_socket(std::uint64_t name, int& out) {
  out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address;
  const socklen_t size = make_name(name, address);
  if (out >= 0 && bind(out, reinterpret_cast<const sockaddr*>(&address), size) == 0) return success;
  return fail(ErrorClass::other, "no socket to be woken by: %s", strerror(errno));
}

void wake_socket(std::uint64_t name) {
  static const int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address;
  const socklen_t size = make_name(name, address);
  // A socket that is full has something to read, which is all that is wanted.
  (void)!sendto(sender, "", 1, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

void empty_socket(int socket) {
  char ignored;
  while (recv(socket, &ignored, 1, MSG_TRUNC) >= 0) {
  }
}

void permit_copying() { prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); }

namespace {

// The kernel may stop within: it goes on until all is copied.
template <class Call>
int copy(Call call, std::int32_t pid, std::uint64_t here, std::uint64_t there, std::size_t size) {
  while (size > 0) {
    const iovec local{reinterpret_cast<void*>(here), size};
    const iovec remote{reinterpret_cast<void*>(there), size};
    const ssize_t got = call(pid, &local, 1, &remote, 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : EFAULT;
    here += static_cast<std::uint64_t>(got);
    there += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return 0;
}

}  // namespace

int copy_from(std::int32_t pid, void* to, std::uint64_t from, std::size_t size) {
  return copy(process_vm_readv, pid, reinterpret_cast<std::uintptr_t>(to), from, size);
}

int copy_to(std::int32_t pid, std::uint64_t to, const void* from, std::size_t size) {
  return copy(process_vm_writev, pid, reinterpret_cast<std::uintptr_t>(from), to, size);
}

}  // namespace cow::transport::shm
