#include "runtime/process_memory.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cow::runtime {

ProcessMemory::ProcessMemory(std::int32_t process) : process_(process) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", process);
  file_ = open(path, O_RDONLY | O_CLOEXEC);
}

ProcessMemory::~ProcessMemory() {
  if (file_ >= 0) close(file_);
}

int ProcessMemory::read(void* to, std::uint64_t from, std::size_t size) const {
  auto* out = static_cast<char*>(to);
  while (size > 0) {
    const iovec local{out, size};
    const iovec remote{reinterpret_cast<void*>(from), size};
    const ssize_t got = file_ >= 0 ? pread(file_, out, size, static_cast<off_t>(from))
                                   : process_vm_readv(process_, &local, 1, &remote, 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : EFAULT;
    out += got;
    from += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return 0;
}

}  // namespace cow::runtime
